// Words for one part of the link under the pointer, in a tooltip.
import {notes_on_head} from "./head_notes.js"
import {attention_of, base_of} from "./reading.js"
import {name_of} from "./reading_words.js"

/**
 * @typedef {object} Args
 * @property {Source<import("./head_notes.js").Head>} head
 * @property {Source<{token: number[]}>} kept_token
 * @property {Source<{token: number[]}>} brushed
 * @property {string[]} names
 * @property {number} cls
 * @property {number} n_prefix
 * @property {number} cols
 * @property {string} place
 */

/**
 * @param {Args} args
 * @param {"source" | "target" | "attention"} format which part
 * @param {{x: number, y: number}} special_vars
 */
export default function read_link({
  head, kept_token, brushed, names, cls, n_prefix, cols, place,
}, format, special_vars) {
  const {drawn, mean} = notes_on_head(head), {x, y} = special_vars, set = brushed.data.token
  /** @returns {{source: number, target: number, value: number | null} | null} */
  const read = () => {
    if (drawn === null) return null
    if (place === "heatmap") return drawn.link_at(x, y)
    const patch = n_prefix + Math.floor(y) * cols + Math.floor(x)
    const base = base_of({clicked: kept_token.data.token[0], cls, has_set: set.length > 0})
    const [source, target] = place === "source" ? [base, patch] : [patch, base]
    return {source, target, value: attention_of([source, target], {...drawn, mean, brushed: set})}
  }
  const link = read()
  if (link === null || link.value === null) return "–"
  if (format === "attention") return link.value === 0 ? "0" : link.value.toPrecision(3)
  return name_of(link[format], {names, brushed: set}) ?? "mean of all patches"
}
