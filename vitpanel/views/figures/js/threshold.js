// Draws what is above the threshold: links, the strong part of the heatmap, the shaded part of the histogram.
import {notes_on_head} from "./head_notes.js"
import {links_from} from "./links.js"
import {first_at_least} from "./sorted.js"
import {threshold_words} from "./threshold_words.js"

/**
 * @typedef {object} Args
 * @property {Source<import("./head_notes.js").Head>} head
 * @property {Source<{unit: string[]}>} options
 * @property {Span} line
 * @property {Model & {left: number}} kept part of the histogram above the threshold
 * @property {Model & {x: number, text: string, text_align: string, x_offset: number}} label
 * @property {BokehRange} x_range
 * @property {Title} count
 * @property {Record<string, Source<Record<string, ArrayLike<number>>>>} links
 * @property {Record<string, Source<{xs: ArrayLike<number>[], ys: ArrayLike<number>[], shade: number[]}>>} paths
 * @property {number} max_dragged
 * @property {Record<string, ColorMapper>} colours
 * @property {Record<string, ColorMapper>} strong
 * @property {Callback} show_token
 */

/** @param {Args} args */
export default function show_threshold({
  head, options, line, kept, label, x_range, count, links, paths, max_dragged, colours, strong, show_token,
}) {
  const {drawn, is_dragged} = notes_on_head(head)
  if (head.data.matrix.length === 0 || drawn === null) return
  const threshold_value = line.location, {plain, values} = drawn
  let above = 0
  for (let i = 0; i < plain.length; i++) if (plain[i] >= threshold_value) above++

  // While the bar is dragged only so many links are drawn that a step takes no longer than a frame or two.
  const most = is_dragged ? max_dragged : values.length
  const lowest = values.length > most ? Math.max(threshold_value, values[values.length - most]) : threshold_value
  let n_drawn = 0
  for (const [kind, source] of Object.entries(links)) {
    const of_kind = drawn.links[kind], {value} = of_kind.all, first = first_at_least(value, lowest)
    const parts = links_from(of_kind, first)
    n_drawn += value.length - first
    source.data = parts.columns
    paths[kind].data = parts.paths
  }

  for (const [kind, mapper] of Object.entries(strong)) {
    const {palette} = colours[kind]
    // Shades are kept as float32: a value equal to the threshold must not come out below it.
    const low = Math.fround(drawn.shade(threshold_value, kind))
    const first = Math.max(Math.min(palette.length - 1, Math.floor(low * palette.length)), 0)
    mapper.setv({palette: palette.slice(first), low, high: Math.max(1, low + 1e-6)})
  }

  kept.left = threshold_value
  const words = threshold_words(threshold_value, {above, n_drawn, n_values: plain.length})
  const is_right = Math.log(threshold_value / x_range.start) > 0.5 * Math.log(x_range.end / x_range.start)
  const side = is_right ? {text_align: "right", x_offset: -4} : {text_align: "left", x_offset: 4}
  label.setv({x: threshold_value, text: words.units[options.data.unit[0]], ...side})
  count.text = words.links
  show_token.execute(head)
}
