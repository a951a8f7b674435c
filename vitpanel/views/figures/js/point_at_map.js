// Asks the server what lies under a pointer that rests, and shows its answer beside the pointer.
import {create_card, place_card} from "./card.js"
import {nearest} from "./nearness.js"
import {notes_about} from "./notes.js"

/**
 * @typedef {object} MapNotes
 * @property {HTMLElement | null} card null before the pointer was there
 * @property {{sx: number, sy: number} | null} at where the pointer rests, null while it moves
 * @property {ReturnType<typeof setTimeout> | undefined} rest
 */

const notes_on_map = notes_about("map", () => /** @type {MapNotes} */ ({card: null, at: null, rest: undefined}))

/**
 * @typedef {object} Args
 * @property {Figure} fig
 * @property {Source<{x: ArrayLike<number>, y: ArrayLike<number>}>} own heads of the chosen image
 * @property {Source<{x: number[], y: number[]}>} pointer
 * @property {Source<{x: number[], y: number[], html: string[]}>} answer
 * @property {number} reach
 * @property {number} rest_ms
 * @property {string} style
 */

/**
 * @param {Args} args
 * @param {PointEvent | Model & {event_name?: undefined}} cb_obj an act of the pointer, or the source of the answer
 */
export default function point_at_map({fig, own, pointer, answer, reach, rest_ms, style}, cb_obj) {
  const notes = notes_on_map(pointer)
  if (notes.card === null) {
    notes.card = create_card(fig, style)
    notes.card.setAttribute("role", "status")
  }
  const {card} = notes
  if (cb_obj.event_name === undefined) {
    // An answer; the pointer may have gone on meanwhile.
    const {x, y, html} = answer.data
    if (x[0] !== pointer.data.x[0] || y[0] !== pointer.data.y[0] || notes.at === null) return
    card.innerHTML = html[0]
    card.hidden = false
    place_card(card, fig, {...notes.at, width: card.offsetWidth, height: card.offsetHeight})
    return
  }
  clearTimeout(notes.rest)
  card.hidden = true
  notes.at = null
  if (cb_obj.event_name !== "mousemove") return
  // The chosen image's heads have a tooltip of their own.
  if (nearest(fig, own.data, cb_obj, reach) >= 0) return
  const {x, y, sx, sy} = cb_obj
  notes.rest = setTimeout(() => {
    notes.at = {sx, sy}
    pointer.data = {x: [x], y: [y]}
  }, rest_ms)
}
