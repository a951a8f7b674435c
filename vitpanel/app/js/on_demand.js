// A button that opens a view over the lower row of the page. The view comes when it is opened for the first time, and stays
// when it is closed.

/** @typedef {Component<{title: string, is_open: boolean}> & {get_child: (name: string) => HTMLElement | null}} OnDemand */

/** @param {OnDemand} model */
function create_parts({title}) {
  const button = document.createElement("button"), over = document.createElement("div")
  const close = document.createElement("button")
  Object.assign(button, {type: "button", className: "opener", textContent: title})
  Object.assign(over, {className: "over", tabIndex: -1})
  over.setAttribute("role", "dialog")
  over.setAttribute("aria-label", title)
  Object.assign(close, {type: "button", className: "close", textContent: "×", title: "Close (Esc)"})
  close.setAttribute("aria-label", `Close ${title}`)
  return {button, over, close}
}

function create_words() {
  const words = document.createElement("div")
  Object.assign(words, {className: "opening", textContent: "opening …"})
  words.setAttribute("role", "status")
  return words
}

/** @param {{model: OnDemand, el: HTMLElement}} args */
export function render({model, el}) {
  const {button, over, close} = create_parts(model)
  const show = () => {
    over.hidden = !model.is_open
    button.setAttribute("aria-expanded", String(model.is_open))
  }
  const set = (/** @type {boolean} */ is_open) => {
    if (is_open) window.dispatchEvent(new Event("vp-over"))  // there is room for one
    model.is_open = is_open
    show()
    ;(is_open ? over : button).focus()
  }
  const on_escape = (/** @type {KeyboardEvent} */ event) => {
    if (event.defaultPrevented || !model.is_open) return
    event.preventDefault()
    set(false)
  }
  // The last to hear of the key on the document: after what is open within the view or fills the page, before the keys of
  // the page. Panel renders anew when the view comes, and tells nobody that what was there is gone.
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    if (!over.isConnected) window.removeEventListener("keydown", on_key, true)
    else if (event.key === "Escape") document.addEventListener("keydown", on_escape, {once: true})
  }
  window.addEventListener("keydown", on_key, true)
  const on_other = (/** @type {Event} */ {type}) => {
    if (!over.isConnected) window.removeEventListener(type, on_other)
    else if (model.is_open) model.is_open = false
  }
  for (const type of ["vp-show-all", "vp-over"]) window.addEventListener(type, on_other)
  button.addEventListener("click", () => set(!model.is_open))
  close.addEventListener("click", () => set(false))
  model.on("is_open", show)
  const content = model.get_child("content")
  over.append(content ?? create_words(), close)
  el.append(button, over)
  show()
  if (model.is_open) over.focus()
  // Bokeh 3.9 takes what has come from the server for new until anything is sent, and would send all of the view back with
  // the first word from it.
  if (content) model.send_msg({})
}
