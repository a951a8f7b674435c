/** Whether Jupyter hears of what is done in its figures: it connects a result when it is shown, or soon after. */
export const is_heard = () => {
  const {PyViz, Jupyter, google} = /** @type {any} */ (window)
  return Boolean(Object.keys(PyViz?.kernels ?? {}).length || Jupyter?.notebook?.kernel || google?.colab)
}
