// Moves the threshold with the pointer, inside the values that there are; the server hears of it on release.
import {notes_on_head} from "./head_notes.js"

/**
 * @typedef {object} Args
 * @property {Source<import("./head_notes.js").Head>} head
 * @property {Source<{value: number[]}>} threshold_value
 * @property {Span} line
 * @property {Callback} show
 */

/**
 * @param {Args} args
 * @param {PointEvent} cb_obj
 */
export default function drag_threshold({head, threshold_value, line, show}, cb_obj) {
  if (head.data.edges.length === 0) return
  const edges = head.data.edges[0]
  const place = Math.max(edges[0], Math.min(edges[edges.length - 1], cb_obj.x))
  const is_end = cb_obj.event_name === "panend" || cb_obj.event_name === "tap"
  const notes = notes_on_head(head), was_dragged = notes.is_dragged
  notes.is_dragged = !is_end
  if (Number.isFinite(place) && place !== line.location) line.location = place
  else if (was_dragged && is_end) show.execute(head)
  if (is_end) threshold_value.data = {value: [line.location]}
}
