// The menu of charts that can be saved.
import {create} from "./create.js"
import {shown} from "./save.js"

const KINDS = {png: "PNG", svg: "SVG", csv: "CSV", parquet: "Parquet"}
const SCALES = [1, 2, 4]
const NO_ELEMENT = "Not in Python: no element draws this."
const COPIED = "Copied: lines of Python that draw this chart."
/** @typedef {keyof typeof KINDS} Kind */

/**
 * @typedef {object} ChartToSave
 * @property {string} stem
 * @property {string} title
 * @property {Kind[]} kinds
 * @property {string | undefined} figure its id; undefined for what is no figure
 * @property {string} reason why it cannot be saved now; empty where it can
 * @property {string} absent what to say when it is not shown
 * @property {string} [python] lines that draw it; without any where no element does
 */

function create_scales() {
  const box = create("div", {className: "scales"}, "PNG at")
  box.setAttribute("role", "radiogroup")
  box.setAttribute("aria-label", "Size of PNG files")
  for (const scale of SCALES) {
    const radio = create("input", {type: "radio", name: "scale", value: String(scale), checked: scale === 2})
    box.append(create("label", {}, radio, `${scale}×`))
  }
  return box
}

/**
 * @param {ChartToSave} chart
 * @param {{save: (stem: string, kind: Kind) => void, copy: (python: string) => void}} acts
 */
function create_row({stem, title, kinds, figure, reason, absent, python}, {save, copy}) {
  const why = reason || (figure !== undefined && shown(figure) === null ? absent : "")
  const name = create("span", {className: "name"}, title, create("small", {textContent: why || (python ? "" : NO_ELEMENT)}))
  const row = create("div", {className: why ? "row off" : "row"}, name)
  const add = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ press) => {
    const button = create("button", {type: "button", textContent: text, disabled: why !== ""})
    button.setAttribute("aria-label", `${title} · ${label}`)
    button.addEventListener("click", press)
    row.append(button)
  }
  for (const kind of kinds) add(KINDS[kind], KINDS[kind], () => save(stem, kind))
  if (python) add("Python", "Copy as Python", () => copy(python))
  return row
}

/**
 * Puts a text on the clipboard, also where a page that came without TLS may not ask the browser for it.
 *
 * @param {string} text
 */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {}  // not there, or not allowed
  const box = create("textarea", {value: text})
  document.body.append(box)
  box.select()
  const is_copied = document.execCommand("copy")
  box.remove()
  return is_copied
}

/**
 * A button, and the menu that it opens.
 *
 * @param {Component<{charts: ChartToSave[]}>} model
 * @param {string} icon
 * @param {(words: string) => void} tell
 */
export function create_menu(model, icon, tell) {
  const scales = create_scales(), rows = create("div", {})
  const menu = create("div", {className: "menu", popover: "auto"}, scales, rows)
  menu.setAttribute("aria-label", "Export")
  const button = create("button", {type: "button", className: "tool", title: "Export", innerHTML: icon})
  button.setAttribute("aria-label", "Export")
  button.setAttribute("aria-haspopup", "true")
  button.popoverTargetElement = menu
  const save = (/** @type {string} */ stem, /** @type {Kind} */ kind) => {
    menu.hidePopover()
    const {value} = /** @type {HTMLInputElement} */ (scales.querySelector(":checked"))
    model.send_msg({save: stem, kind, scale: Number(value)})
  }
  const copy = async (/** @type {string} */ python) => {
    menu.hidePopover()
    tell(await copied(python) ? COPIED : "The browser does not let the page copy.")
  }
  const fill = () => rows.replaceChildren(...model.charts.map((chart) => create_row(chart, {save, copy})))
  menu.addEventListener("beforetoggle", ({newState}) => {
    if (newState !== "open") return
    model.send_msg({opened: true})  // why a chart cannot be saved may have changed
    fill()
    const {right, bottom} = button.getBoundingClientRect()
    Object.assign(menu.style, {top: `${bottom + 2}px`, right: `${window.innerWidth - right}px`})
  })
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !menu.matches(":popover-open")) return
    event.preventDefault()  // the view stays as large as it is
    menu.hidePopover()
    button.focus()
  }
  for (const el of /** @type {HTMLElement[]} */ ([menu, button])) el.addEventListener("keydown", on_key)
  model.on("charts", fill)
  return [button, menu]
}
