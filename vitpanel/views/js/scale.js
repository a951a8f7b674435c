// What continuous colours mean: a bar with its least, middle and largest number, and a mark at the chosen image. A part of
// the bar can be marked, by a drag or by keys.

/**
 * @typedef {object} Scale
 * @property {string[]} colours from the least to the largest
 * @property {string[]} words numbers at the start, in the middle and at the end
 * @property {[low: number, high: number]} ends the numbers at both ends
 * @property {number} place of the chosen image, from 0 to 1; below 0 for none
 * @property {string} note what the number of the chosen image is
 * @property {number} n_unknown images without a number, which are grey
 */

/** @typedef {{shift: boolean, ctrl: boolean, alt: boolean}} Held keys that are held */

const STEP = 0.02, LEAST_DRAG = 0.005
const HELP = "Drag over the bar to brush the images in between; Shift adds, Ctrl+Shift subtracts, Alt intersects. " +
  "By keyboard: arrow keys move the end of the range, Home begins it anew there, Enter brushes."

/** @param {string} name @param {string} text */
function create_span(name, text) {
  const span = document.createElement("span")
  span.className = name
  span.textContent = text
  return span
}

/**
 * @param {string} caption
 * @param {Scale} scale
 * @param {(range: [number, number], held: Held) => void} mark told of a part of the bar, from 0 to 1
 */
export function create_scale(caption, {colours, words, ends, place, note, n_unknown}, mark) {
  const box = document.createElement("div"), head = document.createElement("div")
  const bar = document.createElement("div"), numbers = document.createElement("div")
  const unknown = n_unknown > 0 ? `× ${n_unknown} not known` : ""
  const said = [note, unknown].filter(Boolean).join(" · ")
  box.className = "scale"
  head.className = "head"
  const notes = create_span("note", said)
  head.append(create_span("caption", caption), notes)
  bar.className = "bar"
  bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`
  if (place >= 0) {
    const at = document.createElement("i")
    at.style.left = `${100 * place}%`
    bar.append(at)
  }
  numbers.className = "numbers"
  numbers.append(...words.map((text) => create_span("", text)))
  box.append(head, bar, numbers)
  mark_parts(bar, ends, {said: (words) => { notes.textContent = words || said }, mark})
  return box
}

/**
 * Let a part of a bar be marked.
 *
 * @param {HTMLElement} bar
 * @param {[low: number, high: number]} ends
 * @param {{said: (words: string) => void, mark: (range: [number, number], held: Held) => void}} tell
 */
function mark_parts(bar, [low, high], {said, mark}) {
  if (!(high > low)) return
  const range = document.createElement("b")
  range.hidden = true
  bar.append(range)
  Object.assign(bar, {tabIndex: 0, title: HELP})
  const roles = {role: "slider", "aria-label": "range of numbers to brush", "aria-valuemin": low, "aria-valuemax": high}
  for (const [name, value] of Object.entries(roles)) bar.setAttribute(name, String(value))
  let from = 0, to = 0, is_dragged = false
  const text = (/** @type {number} */ at) => {
    const words = (low + at * (high - low)).toPrecision(3)
    return at <= 0 ? "least" : at >= 1 ? "largest" : words
  }
  const show = () => {
    const [start, end] = [Math.min(from, to), Math.max(from, to)]
    range.hidden = false
    Object.assign(range.style, {left: `${100 * start}%`, width: `${100 * (end - start)}%`})
    const words = `${text(start)} to ${text(end)}`
    bar.setAttribute("aria-valuenow", String(low + to * (high - low)))
    bar.setAttribute("aria-valuetext", words)
    said(words)
  }
  const leave = () => {
    range.hidden = true
    said("")
  }
  const tell = (/** @type {MouseEvent | KeyboardEvent} */ {shiftKey: shift, ctrlKey, metaKey, altKey: alt}) => {
    mark([Math.min(from, to), Math.max(from, to)], {shift, ctrl: ctrlKey || metaKey, alt})
    leave()
  }
  const at = (/** @type {PointerEvent} */ event) => {
    const {left, width} = bar.getBoundingClientRect()
    return Math.max(0, Math.min(1, (event.clientX - left) / width))
  }
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId)
    from = to = at(event)
    is_dragged = true
  })
  bar.addEventListener("pointermove", (event) => {
    if (!is_dragged) return
    to = at(event)
    show()
  })
  bar.addEventListener("pointerup", (event) => {
    if (!is_dragged) return
    is_dragged = false
    if (Math.abs(to - from) >= LEAST_DRAG) tell(event)
    else leave()
  })
  bar.addEventListener("pointercancel", () => {
    is_dragged = false
    leave()
  })
  bar.addEventListener("blur", leave)
  bar.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") to = Math.min(1, to + STEP)
    else if (event.key === "ArrowLeft") to = Math.max(0, to - STEP)
    else if (event.key === "Home") from = to
    else if (event.key === "Enter" && from !== to) return tell(event)
    else return
    event.preventDefault()
    show()
  })
}
