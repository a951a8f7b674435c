// Chooses a head by the line: a drag moves it in the browser alone, and the rest of the page hears of it when the
// line rests or is let go. It is called when the grip has moved, for a click, and when the figure has got its place.
import {notes_about} from "./notes.js"

/**
 * @typedef {object} LineNotes
 * @property {boolean} is_held whether the grip is
 * @property {ReturnType<typeof setTimeout> | undefined} rest
 */

const notes_on_line = notes_about("line", () => /** @type {LineNotes} */ ({is_held: false, rest: undefined}))

/**
 * @typedef {object} Args
 * @property {Figure} fig
 * @property {Source<{flat: number[], act: number[]}>} picked
 * @property {number} rest_ms
 * @property {Span} line
 * @property {BoxAnnotation} grip
 * @property {number} n_layers
 * @property {number} n_heads
 * @property {number} reach
 */

/**
 * @param {Args} args
 * @param {PointEvent | BoxAnnotation | Figure} cb_obj
 */
export default function move_head_line({fig, picked, rest_ms, line, grip, n_layers, n_heads, reach}, cb_obj) {
  const notes = notes_on_line(line)
  const last = n_layers * n_heads - 1
  const flat = (/** @type {number} */ x) => Math.max(0, Math.min(last, Math.round(x)))
  // Each act is told, also that of a head which was told last: the server may have gone elsewhere meanwhile.
  const tell = () => {
    clearTimeout(notes.rest)
    picked.data = {flat: [line.location], act: [picked.data.act[0] + 1]}
  }
  const name = (/** @type {number} */ head) => `layer ${Math.floor(head / n_heads)} head ${head % n_heads}`
  // After a click the server hears of the head alone, by `picked`, and answers with the place of the line. In a drag and
  // by keys it hears of the place too: there an answer would come late, and take the line back.
  const move = (/** @type {number} */ head, sync = true) => {
    line.setv({location: head}, {sync})
    grip.setv({left: head - reach, right: head + reach}, {sync})
  }

  if (cb_obj === grip) {
    // `left` alone is read: Python moves the two sides one after the other.
    const head = flat(grip.left + reach)
    if (line.location !== head) line.location = head
    if (notes.is_held) {
      clearTimeout(notes.rest)
      notes.rest = setTimeout(tell, rest_ms)
    }
  } else if ("event_name" in cb_obj) {
    move(flat(cb_obj.x), false)
    tell()
  } else {
    const canvas = Bokeh.index.find_one_by_id(fig.id)?.canvas_view, el = canvas?.el
    if (el === undefined || el.tabIndex === 0) return
    canvas.events_el.tabIndex = -1  // Tab stops once
    grip.pan.connect(([phase]) => {
      notes.is_held = phase !== "pan:end"
      if (notes.is_held) return
      move(line.location)
      tell()
    })
    const say = () => {
      el.setAttribute("aria-valuetext", name(line.location))
      el.setAttribute("aria-valuenow", String(line.location))
    }
    const roles = {role: "slider", "aria-label": "chosen head", "aria-valuemin": 0, "aria-valuemax": last}
    for (const [key, value] of Object.entries(roles)) el.setAttribute(key, value)
    el.tabIndex = 0
    say()
    line.properties.location.change.connect(say)
    el.addEventListener("pointerdown", () => el.focus({preventScroll: true}))
    /** @type {Record<string, number>} */
    const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowDown: -n_heads, ArrowUp: n_heads, Home: -last, End: last}
    el.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return
      event.preventDefault()
      const head = line.location + steps[event.key]
      const is_layer = Math.abs(steps[event.key]) === n_heads
      if (is_layer && (head < 0 || head > last)) return
      move(flat(head))
      clearTimeout(notes.rest)
      if (event.repeat) notes.rest = setTimeout(tell, rest_ms)
      else tell()
    })
  }
}
