// Finds what is under the pointer: a token on the two rows of tokens, a patch on a picture, a link in the heatmap. A click
// keeps a token, a drag marks tokens.
import {drag_between, marks_of} from "./brushing.js"
import {notes_on_head} from "./head_notes.js"
import {NOTHING, patch_at, token_at} from "./pointed.js"

/**
 * @typedef {object} Args
 * @property {Source<import("./head_notes.js").Head>} head
 * @property {Source<Record<string, (string | number)[]>>} pointed
 * @property {Source<{token: number[]}>} kept_token
 * @property {Source<Record<string, unknown[]>>} dragged what the server hears of a drag
 * @property {Record<"patches" | "tokens" | "cells", Source<Record<string, unknown[]>>>} mark
 * @property {number} n_prefix
 * @property {number} rows
 * @property {number} cols
 * @property {Visible[]} grids
 * @property {Record<string, Figure>} places
 */

/**
 * @param {Args} args
 * @param {PointEvent} cb_obj
 */
export default function point({
  head, pointed, kept_token, dragged, mark, n_prefix, rows, cols, grids, places,
}, cb_obj) {
  const [place] = Object.entries(places).find(([, fig]) => fig === cb_obj.origin) ?? [""]
  const notes = notes_on_head(head), {drawn} = notes
  const tell = (/** @type {import("./pointed.js").Pointed} */ found) => {
    if (Object.entries(found).every(([name, value]) => pointed.data[name][0] === value)) return
    pointed.data = Object.fromEntries(Object.entries(found).map(([name, value]) => [name, [value]]))
  }
  if (cb_obj.event_name.startsWith("pan")) {
    if (drawn === null) return
    if (cb_obj.event_name === "panstart") tell(NOTHING)
    drag_tokens(cb_obj, {notes, drawn, dragged, mark, rows, cols, place})
    return
  }
  const find = () => {
    if (drawn === null || cb_obj.event_name === "mouseleave") return NOTHING
    if (place === "lines") return token_at(drawn.layout.tokens, cb_obj)
    if (place !== "heatmap") return patch_at(place, {n_prefix, rows, cols}, cb_obj)
    const link = drawn.link_at(cb_obj.x, cb_obj.y)
    return link === null ? NOTHING : {place, source: link.source, target: link.target}
  }
  const found = find()

  if (cb_obj.event_name === "tap" || cb_obj.event_name === "doubletap") {
    const token = found.source >= 0 ? found.source : found.target
    // The second of two quick clicks comes as a doubletap, wherever it is.
    const is_kept = cb_obj.event_name === "tap" && kept_token.data.token[0] === token
    if (token >= 0) kept_token.data = {token: [is_kept ? -1 : token]}
  } else if (notes.drag === null) {
    for (const grid of grids) grid.visible = ["image", "source", "target"].includes(found.place)
    tell(found)
  }
}

/**
 * Shows what a drag would mark, and lets the server hear of it at the end.
 *
 * @param {PointEvent} event
 * @param {Pick<Args, "dragged" | "mark" | "rows" | "cols"> & {
 *   place: string, notes: import("./head_notes.js").HeadNotes, drawn: import("./head_notes.js").Drawn,
 * }} known
 */
function drag_tokens({event_name, x, y, modifiers}, {notes, drawn, dragged, mark, rows, cols, place}) {
  if (event_name === "panstart") notes.drag = {from: {x, y}, held: {...modifiers}}
  if (notes.drag === null) return
  const {tokens, cells} = drawn.layout, {from, held} = notes.drag
  const found = drag_between(place, [from, {x, y}], {rows, cols, tokens, cells})
  const marks = marks_of(event_name === "panend" ? null : found, {x: drawn.x, cells})
  mark.patches.data = marks.patches
  mark.tokens.data = marks.tokens
  mark.cells.data = marks.cells
  if (event_name !== "panend") return
  notes.drag = null
  // Numbered, so that the same drag is heard again.
  const number = Number(dragged.data.number[0]) + 1
  dragged.data = {number: [number], kind: [found.kind], x: [found.x], y: [found.y], held: [held]}
}
