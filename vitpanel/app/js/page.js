// What a page does besides its views.
// Words over the page until what it shows first has been drawn.
{
  const watch = () => {
    const [shown] = Bokeh.documents
    if (shown?.is_idle) document.getElementById("loader")?.remove()
    else setTimeout(watch, 50)
  }
  watch()
}
// A page whose server is gone must not look as if it still answered. It says so, asks again every second, and opens
// anew when there is an answer: the address holds what was chosen, and it does not matter whether the server still
// knows this session or is another one.
{
  const EVERY = 1000
  let is_lost = false
  const say = (/** @type {string} */ words) => {
    const place = /** @type {HTMLElement} */ (document.getElementById("vp-lost")), box = document.createElement("div")
    const button = Object.assign(document.createElement("button"), {textContent: "Reload now"})
    button.addEventListener("click", () => window.location.reload())
    box.append(words, button)
    place.replaceChildren(box)
    place.style.display = "flex"
  }
  // A file of the server's own: asking for the page would build one.
  const own_file = () => [...document.scripts].map(({src}) => src).find((src) => src.startsWith(window.location.origin))
  const ask = async () => {
    try {
      const answer = await fetch(own_file() ?? window.location.href, {method: "HEAD", cache: "no-store"})
      if (answer.status < 500) return window.location.reload()
    } catch {}  // still gone
    setTimeout(ask, EVERY)
  }
  const lose = () => {
    if (is_lost) return
    is_lost = true
    say("The connection to the server is lost. What you chose is kept; the page opens again when the server answers.")
    setTimeout(ask, EVERY)
  }
  const watch = () => {
    const [shown] = Bokeh.documents
    if (shown === undefined) return setTimeout(watch, 100)
    shown.on_event("connection_lost", lose)
    window.addEventListener("offline", lose)
  }
  watch()
}
