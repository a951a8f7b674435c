// The sheet of tasks: it stands at one side of the page until it is closed, and keeps what is ticked.
import {keep, kept} from "./kept.js"
import {create} from "../../views/js/create.js"

/** @typedef {Component<{name_of_ticks: string}>} Tasks */

/** Titles of the tasks that are done. @param {string} name */
function read_ticks(name) {
  try {
    const titles = JSON.parse(kept(name) ?? "[]")
    return new Set(Array.isArray(titles) ? titles : [])
  } catch {
    return new Set()  // somebody else has written there
  }
}

/**
 * Give each task a box to tick.
 *
 * @param {HTMLElement} text
 * @param {string} name under which ticks are kept
 * @param {(words: string) => void} say
 */
function add_boxes(text, name, say) {
  const ticks = read_ticks(name), headings = [...text.querySelectorAll("h2")]
  const count = () => {
    const n_done = headings.filter(({classList}) => classList.contains("done")).length
    say(headings.length === 0 ? "Tasks" : `Tasks: ${n_done} of ${headings.length} done`)
  }
  for (const heading of headings) {
    const title = heading.textContent ?? "", words = create("span", {})
    const box = create("input", {type: "checkbox", checked: ticks.has(title)})
    words.append(...heading.childNodes)
    heading.replaceChildren(create("label", {}, box, words))
    heading.classList.toggle("done", box.checked)
    box.addEventListener("change", () => {
      heading.classList.toggle("done", box.checked)
      ticks[box.checked ? "add" : "delete"](title)
      keep(name, JSON.stringify([...ticks]))
      count()
    })
  }
  count()
}

function create_sheet() {
  const says = create("span", {textContent: "Tasks"}), text = create("div", {className: "text", tabIndex: 0})
  const across = create("button", {type: "button", textContent: "⇆", title: "Move to the other side"})
  const close = create("button", {type: "button", textContent: "×", title: "Close"})
  across.setAttribute("aria-label", "Move the tasks to the other side")
  close.setAttribute("aria-label", "Close the tasks")
  text.setAttribute("role", "region")
  text.setAttribute("aria-label", "Text of the tasks")
  const top = create("div", {className: "top"}, says, across, close)
  const sheet = create("div", {className: "sheet", tabIndex: -1, hidden: true}, top, text)
  sheet.setAttribute("role", "dialog")
  sheet.setAttribute("aria-label", "Tasks")
  return {sheet, says, text, across, close}
}

/** @param {{model: Tasks, el: HTMLElement}} args */
export function render({model, el}) {
  const button = create("button", {type: "button", className: "opener", textContent: "Tasks"})
  const {sheet, says, text, across, close} = create_sheet()
  button.setAttribute("aria-expanded", "false")
  sheet.classList.toggle("left", kept("tasks-side") === "left")
  const set = (/** @type {boolean} */ is_open) => {
    if (is_open && !text.hasChildNodes()) model.send_msg({opened: true})
    sheet.hidden = !is_open
    button.setAttribute("aria-expanded", String(is_open))
    ;(is_open ? sheet : button).focus()
  }
  button.addEventListener("click", () => set(sheet.hidden === true))
  close.addEventListener("click", () => set(false))
  across.addEventListener("click", () => keep("tasks-side", sheet.classList.toggle("left") ? "left" : "right"))
  // Only for who is in the sheet: elsewhere the key is for what they do there, and the sheet stays.
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return
    event.preventDefault()
    set(false)
  })
  model.on("msg:custom", ({html}) => {
    text.innerHTML = html
    add_boxes(text, model.name_of_ticks, (words) => { says.textContent = words })
  })
  el.append(button, sheet)
}
