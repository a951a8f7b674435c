// A button with a text that lies over the page: it opens when the pointer rests on the button, stays while the pointer is
// on it, and stays for good when the button is pressed, until Esc, another press or a click elsewhere.
const REST_MS = 200, GAP = 6

/** @typedef {{heading: string, mark: string, label: string, text: string}} Explained `vitpanel.views.popover.Popover` */

/** @param {Explained} words */
function create_explained({heading, mark: sign, label, text: html}) {
  const box = document.createElement("div"), mark = document.createElement("button")
  const text = document.createElement("div"), body = document.createElement("div")
  box.className = "popover"
  if (heading) box.append(Object.assign(document.createElement("h2"), {textContent: heading}))
  Object.assign(mark, {type: "button", className: sign.length === 1 ? "mark small" : "mark"})
  mark.textContent = sign
  mark.setAttribute("aria-label", label)
  mark.setAttribute("aria-expanded", "false")
  Object.assign(text, {className: "chapter", tabIndex: 0, popover: "manual"})
  text.setAttribute("role", "dialog")
  text.setAttribute("aria-label", label)
  if (heading) text.append(Object.assign(document.createElement("h2"), {textContent: heading}))
  body.innerHTML = html
  text.append(body)
  if (sign) box.append(mark, text)
  return {box, mark, text}
}

/**
 * A heading with a button beside it, and what closes the text when they go.
 *
 * @param {Explained} words
 */
export function explained(words) {
  const {box, mark, text} = create_explained(words)
  let is_kept = false, timer = 0
  const is_open = () => text.matches(":popover-open")
  const is_ours = (/** @type {Event} */ event) => event.composedPath().some((part) => part === mark || part === text)
  // In the top layer, which nothing cuts off; below the mark, or as far up as the window asks for.
  const place = () => {
    const {left, bottom} = mark.getBoundingClientRect(), {width, height} = text.getBoundingClientRect()
    text.style.left = `${Math.max(GAP, Math.min(left, window.innerWidth - width - GAP))}px`
    text.style.top = `${Math.max(GAP, Math.min(bottom + GAP, window.innerHeight - height - GAP))}px`
  }
  const open = () => {
    clearTimeout(timer)
    if (is_open()) return
    text.showPopover()
    place()
    mark.setAttribute("aria-expanded", "true")
    document.addEventListener("keydown", on_key, true)
    document.addEventListener("pointerdown", on_press, true)
  }
  const close = () => {
    clearTimeout(timer)
    is_kept = false
    if (is_open()) text.hidePopover()
    mark.setAttribute("aria-expanded", "false")
    document.removeEventListener("keydown", on_key, true)
    document.removeEventListener("pointerdown", on_press, true)
  }
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return
    event.preventDefault()
    if (is_ours(event)) mark.focus()
    close()
  }
  const on_press = (/** @type {Event} */ event) => {
    if (!is_ours(event)) close()
  }
  const soon = (/** @type {() => void} */ act) => {
    clearTimeout(timer)
    timer = setTimeout(act, REST_MS)
  }
  mark.addEventListener("click", () => {
    if (is_kept) return close()
    open()
    is_kept = true
  })
  for (const part of /** @type {HTMLElement[]} */ ([mark, text])) {
    part.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") soon(open)
    })
    part.addEventListener("pointerleave", () => soon(() => is_kept || close()))
    part.addEventListener("focusout", (event) => {
      if (is_open() && event.relatedTarget !== null && event.relatedTarget !== mark && event.relatedTarget !== text) close()
    })
  }
  return {box, close}
}
