// Below a cell of a notebook: shows the note whose id is given where nobody hears of what is done in the figures.
{
  // Jupyter connects a result when it is shown, or soon after.
  const patience_ms = 3000
  setTimeout(() => {
    const {PyViz, Jupyter, google} = /** @type {any} */ (window), note = document.getElementById("NOTE")
    const is_heard = Object.keys(PyViz?.kernels ?? {}).length > 0 || Jupyter?.notebook?.kernel || google?.colab
    if (note && !is_heard) note.hidden = false
  }, patience_ms)
}
