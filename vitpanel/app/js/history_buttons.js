// Undo and redo, the list of the last choices, and the link to what is chosen.

/** @typedef {{choice: number, words: string, head: string, image: number | null, picture: string, is_crisp: boolean,
 *   distance: number}} Row */
/** @typedef {Component<{undo_words: string, redo_words: string}>} Buttons */
const icon = (/** @type {string} */ path, size = 20) =>
  `<svg viewBox="0 0 24 24" width="${size}" height="20" aria-hidden="true"><path d="${path}"/></svg>`
const UNDO = icon("M8 4 2.5 9.5 8 15v-4h6.5a4 4 0 0 1 0 8H8v2h6.5a6 6 0 0 0 0-12.5H8z")
const REDO = icon("M16 4l5.5 5.5L16 15v-4H9.5a4 4 0 0 0 0 8H16v2H9.5a6 6 0 0 1 0-12.5H16z")
const MORE = icon("M2 9h20L12 19z", 12)
const LINK = icon(
  "M10.6 13.4a1 1 0 0 1-1.4 1.4 5 5 0 0 1 0-7.1l3.5-3.5a5 5 0 0 1 7.1 7.1l-1.5 1.5a7 7 0 0 0-.4-2.4l.5-.5" +
  "a3 3 0 0 0-4.3-4.3l-3.5 3.5a3 3 0 0 0 0 4.3zm2.8-4.2a1 1 0 0 1 1.4 0 5 5 0 0 1 0 7.1l-3.5 3.5a5 5 0 0 1-7.1-7.1" +
  "l1.5-1.5a7 7 0 0 0 .4 2.4l-.5.5a3 3 0 0 0 4.3 4.3l3.5-3.5a3 3 0 0 0 0-4.3 1 1 0 0 1 0-1.4z")
const NOTE_MS = 5000, GAP = 6

/**
 * @param {string} label
 * @param {string} content
 * @param {() => void} press
 */
function create_button(label, content, press) {
  const button = Object.assign(document.createElement("button"), {type: "button", title: label, innerHTML: content})
  button.setAttribute("aria-label", label)
  button.addEventListener("click", press)
  return button
}

/** Also where a page is not served by https, and the browser has no clipboard for scripts. @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const box = Object.assign(document.createElement("textarea"), {value: text})
    box.style.cssText = "position: fixed; opacity: 0"
    document.body.append(box)
    box.select()
    const is_copied = document.execCommand("copy")
    box.remove()
    return is_copied
  }
}

/**
 * @param {Row} row
 * @param {() => void} press
 */
function create_row({words, head, image, picture, is_crisp, distance}, press) {
  const item = document.createElement("li"), button = document.createElement("button")
  const [said, name] = [document.createElement("span"), document.createElement("span")]
  button.type = "button"
  if (distance === 0) button.setAttribute("aria-current", "step")
  if (distance > 0) Object.assign(button, {className: "undone", title: "was undone"})
  const where = image === null ? "all images" : `image ${image}`
  const seen = picture
    ? Object.assign(document.createElement("img"), {src: picture, alt: where, className: is_crisp ? "crisp" : ""})
    : Object.assign(document.createElement("span"), {className: "all", textContent: image === null ? "all" : String(image)})
  if (!picture) seen.title = where
  Object.assign(said, {className: "words", textContent: words})
  Object.assign(name, {className: "head", textContent: head})
  button.append(seen, said, name)
  button.addEventListener("click", press)
  item.append(button)
  return item
}

/** @param {{model: Buttons, el: HTMLElement}} args */
export function render({model, el}) {
  const box = document.createElement("div"), list = document.createElement("div"), note = document.createElement("div")
  const heading = document.createElement("h2"), rows = document.createElement("ol")
  let timer = 0
  const say = (/** @type {string} */ words) => {
    clearTimeout(timer)
    note.textContent = words
    timer = window.setTimeout(() => { note.textContent = "" }, NOTE_MS)
  }
  const link = async () => {
    // The server adds what the address has no room for.
    if (await copy(window.location.href)) model.send_msg({act: "copied"})
    else say("The browser does not let the link be copied: take it from the address bar.")
  }
  const undo = create_button("Undo", UNDO, () => model.send_msg({act: "undo"}))
  const redo = create_button("Redo", REDO, () => model.send_msg({act: "redo"}))
  const more = create_button("History: the last choices, to go back to", MORE, () => {
    if (list.matches(":popover-open")) return list.hidePopover()
    rows.replaceChildren()
    heading.textContent = "Last choices …"
    list.showPopover()
    model.send_msg({act: "list"})
  })
  more.className = "narrow"
  more.setAttribute("aria-expanded", "false")
  box.className = "buttons"
  box.append(undo, redo, more, create_button("Copy link to all that is chosen", LINK, link))
  Object.assign(list, {className: "list", popover: "manual"})
  list.setAttribute("role", "dialog")
  list.setAttribute("aria-label", "Last choices")
  heading.textContent = "Last choices"
  list.append(heading, rows)
  note.className = "note"
  note.setAttribute("role", "status")
  el.append(box, list, note)
  const place = () => {
    const {left, bottom} = undo.getBoundingClientRect(), {width} = list.getBoundingClientRect()
    list.style.left = `${Math.max(GAP, Math.min(left, window.innerWidth - width - GAP))}px`
    list.style.top = `${bottom + GAP}px`
  }
  const is_ours = (/** @type {Event} */ event) => event.composedPath().some((part) => part === list || part === more)
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") {
      event.preventDefault()
      list.hidePopover()
      more.focus()
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const buttons = [...rows.querySelectorAll("button")], root = /** @type {ShadowRoot} */ (list.getRootNode())
      const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (root.activeElement))
      buttons[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus()
      event.preventDefault()
    }
  }
  const on_press = (/** @type {Event} */ event) => { if (!is_ours(event)) list.hidePopover() }
  list.addEventListener("toggle", (event) => {
    const is_open = /** @type {ToggleEvent} */ (event).newState === "open"
    more.setAttribute("aria-expanded", String(is_open))
    const how = is_open ? "addEventListener" : "removeEventListener"
    document[how]("keydown", /** @type {EventListener} */ (on_key), true)
    document[how]("pointerdown", on_press, true)
    if (is_open) place()
  })
  model.on("msg:custom", (/** @type {{rows?: Row[], note?: string}} */ message) => {
    if (message.note) say(message.note)
    if (!message.rows || !list.matches(":popover-open")) return
    heading.textContent = "Last choices"
    rows.replaceChildren(...message.rows.map((row) => create_row(row, () => {
      list.hidePopover()
      model.send_msg({choice: row.choice})
    })))
    place()
    const current = /** @type {HTMLElement | null} */ (rows.querySelector("[aria-current]"))
    current?.focus()
  })
  const name = (/** @type {HTMLButtonElement} */ button, /** @type {string} */ verb, /** @type {string} */ words) => {
    button.disabled = words === ""
    button.setAttribute("aria-label", words ? `${verb}: ${words}` : verb)
  }
  const show = () => {
    name(undo, "Undo", model.undo_words)
    name(redo, "Redo", model.redo_words)
    undo.title = model.undo_words ? `Undo: ${model.undo_words} (u or Alt+←)` : "There is nothing to undo"
    redo.title = model.redo_words ? `Redo: ${model.redo_words} (r or Alt+→)` : "There is nothing to redo"
  }
  model.on(["undo_words", "redo_words"], show)
  model.on("remove", () => list.matches(":popover-open") && list.hidePopover())
  show()
}
