// Finds what is under the pointer: a token on the two rows of tokens, a patch on a picture, a link in the heatmap.
import {notes_on_head} from "./head_notes.js"
import {NOTHING, patch_at, token_at} from "./pointed.js"

/**
 * @typedef {object} Args
 * @property {Source<import("./head_notes.js").Head>} head
 * @property {Source<Record<string, (string | number)[]>>} pointed
 * @property {Source<{token: number[]}>} kept_token
 * @property {number} n_prefix
 * @property {number} rows
 * @property {number} cols
 * @property {Visible[]} grids
 * @property {string} place
 */

/**
 * @param {Args} args
 * @param {PointEvent} cb_obj
 */
export default function point({head, pointed, kept_token, n_prefix, rows, cols, grids, place}, cb_obj) {
  const find = () => {
    const {drawn} = notes_on_head(head)
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
  } else {
    for (const grid of grids) grid.visible = ["image", "source", "target"].includes(found.place)
    if (Object.entries(found).some(([name, value]) => pointed.data[name][0] !== value)) {
      pointed.data = Object.fromEntries(Object.entries(found).map(([name, value]) => [name, [value]]))
    }
  }
}
