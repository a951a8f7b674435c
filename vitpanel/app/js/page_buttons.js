// Light or dark, by a CSS class of the whole page that the page's own script sets first; the page on one sheet; and keys
// that work wherever nothing else takes them.
import {found} from "./found.js"
import {keep} from "./kept.js"

const icon = (/** @type {string} */ path) =>
  `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="${path}"/></svg>`
const PRINTER = icon("M7 3h10v4H7zM4 8h16a2 2 0 0 1 2 2v7h-4v-3H6v3H2v-7a2 2 0 0 1 2-2zM8 15.5h8V21H8z")
const HALF_MOON = icon("M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2v14a7 7 0 0 1 0-14z")
const TOLD = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "[", "]", "Escape", "u", "r"]
/** With Alt; in the place of the browser's own way back, which would leave the page where there is nothing to undo. */
const WITH_ALT = new Map([["ArrowLeft", "u"], ["ArrowRight", "r"]])
const KEYS = [
  ["← →", "previous or next head"],
  ["↑ ↓", "previous or next layer"],
  ["[ ]", "previous or next image"],
  ["/", "search for an image"],
  ["u Alt+←", "undo the last choice"],
  ["r Alt+→", "redo it"],
  ["Shift", "while brushing: add to the brush"],
  ["Ctrl+Shift", "while brushing: take away from it"],
  ["Alt", "while brushing: keep what is in both"],
  ["Esc", "close what is open, else clear all brushes"],
  ["?", "list the keys"],
]

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

/** A sheet as large as the window, so that nothing moves: a figure that changes its size would be painted anew. */
function print() {
  const sheet = document.createElement("style")
  sheet.textContent = `@page { size: ${window.innerWidth}px ${window.innerHeight}px; margin: 0; }
    html { print-color-adjust: exact; }`
  document.head.append(sheet)
  window.addEventListener("afterprint", () => sheet.remove(), {once: true})
  window.print()
}

function create_list() {
  const list = document.createElement("div"), heading = document.createElement("h2"), keys = document.createElement("dl")
  Object.assign(list, {className: "keys", popover: "auto"})
  list.setAttribute("role", "dialog")
  list.setAttribute("aria-label", "Keys")
  heading.textContent = "Keys"
  for (const [key, words] of KEYS) {
    const name = document.createElement("dt"), meaning = document.createElement("dd")
    name.append(...key.split(" ").flatMap((one) => [Object.assign(document.createElement("kbd"), {textContent: one}), " "]))
    meaning.textContent = words
    keys.append(name, meaning)
  }
  list.append(heading, keys)
  return list
}

/** What has keys of its own, while it has the focus. */
const TEXTS = "input, select, textarea"
const OWN_KEYS = "input, select, textarea, [role=listbox], [role=option], [role=slider], [role=dialog], .bk-Figure"

/** @param {{model: Component<{theme: string}>, el: HTMLElement}} args */
export function render({model, el}) {
  const {classList} = document.documentElement, box = document.createElement("div"), list = create_list()
  const toggle_theme = () => {
    model.theme = classList.toggle("vp-dark") ? "dark" : "light"
    keep("theme", model.theme)
  }
  box.className = "buttons"
  box.append(
    create_button("Keys", "?", () => list.togglePopover()),
    create_button("Print or save as PDF", PRINTER, print),
    create_button("Toggle theme", HALF_MOON, toggle_theme),
  )
  el.append(box, list)
  /** @type {Record<string, () => void>} */
  const acts = {
    "/": () => {
      const search = /** @type {HTMLInputElement | null} */ (found(document, "input[role=combobox]"))
      search?.focus()
      search?.select()
    },
    "?": () => list.togglePopover(),
  }
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    const {ctrlKey, metaKey, altKey, defaultPrevented} = event
    if (defaultPrevented || ctrlKey || metaKey) return
    const key = altKey ? WITH_ALT.get(event.key) : event.key, [target] = event.composedPath()
    if (key === undefined || (target instanceof Element && target.closest(altKey ? TEXTS : OWN_KEYS))) return
    if (key === "Escape" && list.matches(":popover-open")) return  // it closes
    if (key in acts) acts[key]()
    else if (TOLD.includes(key)) model.send_msg({key, is_held: event.repeat})
    else return
    event.preventDefault()
  }
  // On the window, after all that takes keys inside of the page.
  window.addEventListener("keydown", on_key)
  model.on("remove", () => window.removeEventListener("keydown", on_key))
}
