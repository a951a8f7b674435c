// What a page does besides its views.
// Panel's components of React send each value back that the server has told them, once they have drawn it (`useState`
// in https://github.com/holoviz/panel/blob/v1.9.4/panel/models/react_component.ts). When a newer one has come
// meanwhile, the server takes the old one for the choice of a person: with a few clicks a second the chosen image or
// head jumps back. Here a component sends what a person has changed in it, and nothing else. Can go when Panel tells
// the two apart; where one of these texts is not found, nothing is changed.
{
  const changes = {
    "let initialized = React.useRef(false)": `
      const is_own = React.useRef(false)
      const choose = React.useCallback((next) => {
        is_own.current = true
        setValue(next)
      }, [])
      let initialized = React.useRef(false)`,
    "setValue(targetModel.attributes[resolvedProp])": `
      is_own.current = false
      setValue(targetModel.attributes[resolvedProp])`,
    "targetModel.setv({ [resolvedProp]: value })": "if (is_own.current) targetModel.setv({ [resolvedProp]: value })",
    "return [value, setValue]": "return [value, choose]",
  }
  const {prototype} = Bokeh.Models.get("panel.models.esm.ReactComponent")
  const render_code = prototype._render_code
  prototype._render_code = function() {
    const code = render_code.call(this), found = Object.entries(changes)
    if (!found.every(([old]) => code.includes(old))) return code
    return found.reduce((changed, [old, better]) => changed.replace(old, () => better), code)
  }
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
