// Words for one part of the link under the pointer, in a tooltip.
import {notes_on_head} from "./head_notes.js"

/**
 * @typedef {object} Args
 * @property {Source<import("./head_notes.js").Head>} head
 * @property {Source<{token: number[]}>} kept_token
 * @property {string[]} names
 * @property {number} cls
 * @property {number} n_prefix
 * @property {number} cols
 * @property {string} place
 * @property {"source" | "target" | "attention"} part
 */

/**
 * @param {Args} args
 * @param {{x: number, y: number}} special_vars
 */
export default function read_link({head, kept_token, names, cls, n_prefix, cols, place, part}, special_vars) {
  const {drawn, mean} = notes_on_head(head), {x, y} = special_vars
  const read = () => {
    if (drawn === null) return null
    if (place === "heatmap") return drawn.link_at(x, y)
    const patch = n_prefix + Math.floor(y) * cols + Math.floor(x)
    const token = kept_token.data.token[0] >= 0 ? kept_token.data.token[0] : cls
    if (place === "target" && token < 0) return null
    const [source, target] = place === "source" ? [token, patch] : [patch, token]
    const value = source < 0 ? mean?.[target] : drawn.plain[source * drawn.n_tokens + target]
    return value === undefined ? null : {source, target, value}
  }
  const link = read()
  if (link === null) return "–"
  if (part === "attention") return link.value === 0 ? "0" : link.value.toPrecision(3)
  return link[part] < 0 ? "mean of all patches" : names[link[part]]
}
