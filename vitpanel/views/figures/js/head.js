// Draws a new head, or the same one on another scale or without its extra tokens; threshold and token follow.
import {array_like} from "./arrays.js"
import {strongest_link_at} from "./cells.js"
import {sorted_links} from "./drawn_links.js"
import {notes_on_frame, notes_on_mapper} from "./figure_notes.js"
import {notes_on_head} from "./head_notes.js"
import {scales_of, words_of_ticks} from "./scales.js"

/**
 * @typedef {object} Args
 * @property {Source<import("./head_notes.js").Head>} head
 * @property {Source<{extra: boolean[], scale: string[]}>} options
 * @property {string[]} kinds of links
 * @property {number[]} token_kinds
 * @property {number} decades
 * @property {{all: import("./head_notes.js").Layout, few: import("./head_notes.js").Layout}} layouts
 * @property {Record<string, Source<Record<string, unknown[]>>>} blocks
 * @property {Record<string, Visible>} bars
 * @property {Record<string, ColorMapper>} colours
 * @property {Figure} heatmap
 * @property {Callback} fit
 * @property {Source<Record<string, ArrayLike<unknown>>>} tokens
 * @property {BokehRange} lines_range
 * @property {number} margin
 * @property {(Model & {line_width: {value: number}})[]} strokes
 * @property {number} n_shades
 * @property {number[]} rows_of_tokens
 * @property {Source<Record<string, number[]>>} histogram
 * @property {BokehRange} x_range
 * @property {BokehRange} y_range
 * @property {Span} line
 * @property {Callback} show
 * @property {number} n_prefix
 * @property {number} rows
 * @property {number} cols
 * @property {number} step
 * @property {number} cell_cols
 */

/** @param {Args} args */
export default function draw_head({
  head, options, kinds, token_kinds, decades, layouts, blocks, bars, colours, heatmap, fit, tokens, lines_range, margin,
  strokes, n_shades, rows_of_tokens, histogram, x_range, y_range, line, show, n_prefix, rows, cols, step, cell_cols,
}) {
  if (head.data.matrix.length === 0) return
  const {matrix: [matrix], pooled: [pooled], limits: [limits], links: [places]} = head.data
  const n_tokens = matrix.shape[0]
  // A plain view on the same memory: Bokeh's own array type is slower, and its subarray() does not work.
  const plain = new Float32Array(matrix.buffer, matrix.byteOffset, matrix.length)
  const layout = layouts[options.data.extra[0] ? "all" : "few"]
  const scale = scales_of(decades)[options.data.scale[0]]
  const high = Object.fromEntries(kinds.map((kind, i) => [kind, limits[i] > 0 ? limits[i] : 1]))
  const shade = (/** @type {number} */ value, /** @type {string} */ kind) => scale.curve(value / high[kind])

  for (const [kind, source] of Object.entries(blocks)) {
    source.data = block_columns(source.data, layout.blocks[kind], {
      shown: pooled.length > 0 ? pooled : matrix, shade: (value) => shade(value, kind),
    })
    notes_on_mapper(colours[kind]).words = words_of_ticks(scale, high[kind])
    bars[kind].visible = kind in layout.blocks
  }
  const size = layout.cells[layout.cells.length - 1]
  notes_on_frame(heatmap).size = [size, size]
  fit.execute(heatmap)

  const x = draw_tokens(tokens, layout.tokens, n_tokens)
  const width = layout.tokens[layout.tokens.length - 1]
  lines_range.setv({start: -margin * width, end: (1 + margin) * width})
  // On any screen the lines are one pixel wide, which browsers paint several times faster.
  const ratio = window.devicePixelRatio || 1
  if (ratio !== 1) for (const stroke of strokes) stroke.line_width = {value: 1 / ratio}
  const sent = {places, values: Float32Array.from(places, (place) => plain[place]), n_tokens, edges: layout.tokens}
  const links = sorted_links(sent, {kinds, token_kinds, drawn: blocks}, {shade, n_shades, x, rows: rows_of_tokens})

  draw_histogram(head.data, {histogram, x_range, y_range})

  const notes = notes_on_head(head), was = notes.drawn?.matrix
  const grid = {n_prefix, rows, cols, step, cell_cols, n_tokens}
  const link_at = (/** @type {number} */ x, /** @type {number} */ y) =>
    strongest_link_at(plain, grid, {edges: layout.cells, x, y})
  notes.drawn = {matrix, plain, n_tokens, layout, scale, shade, link_at, x, values: sent.values, links}
  notes.mean = null
  // The line moves to a new head's threshold, and what it says is drawn; the same head keeps its line.
  const place = was === matrix ? line.location : head.data.threshold_value[0]
  if (line.location !== place) line.location = place
  else show.execute(head)
}

/**
 * Parts of the heatmap that have one kind of link, as shades; none where the layout has no such part.
 *
 * @param {Record<string, unknown[]>} columns
 * @param {Record<string, number[]> | undefined} places
 * @param {{shown: NDArray<Float32Array>, shade: (value: number) => number}} values
 */
function block_columns(columns, places, {shown, shade}) {
  if (places === undefined) return Object.fromEntries(Object.keys(columns).map((name) => [name, []]))
  const values = new Float32Array(shown.buffer, shown.byteOffset, shown.length)
  const image = places.top.map((top, i) => {
    const width = places.right[i] - places.left[i], height = places.bottom[i] - top
    const block = new Float32Array(height * width)
    for (let row = 0; row < height; row++) {
      const start = (top + row) * shown.shape[1] + places.left[i]
      for (let col = 0; col < width; col++) block[row * width + col] = shade(values[start + col])
    }
    return array_like(shown, block, [height, width])
  })
  return {...places, image}
}

/**
 * @param {Source<Record<string, ArrayLike<unknown>>>} tokens
 * @param {number[]} edges
 * @param {number} n_tokens
 * @returns {number[]} the middle of each token
 */
function draw_tokens(tokens, edges, n_tokens) {
  const x = Array.from({length: n_tokens}, (_, token) => (edges[token] + edges[token + 1]) / 2)
  tokens.data = {...tokens.data, x, width: x.map((_, token) => edges[token + 1] - edges[token])}
  return x
}

/**
 * @param {import("./head_notes.js").Head} head
 * @param {{histogram: Source<Record<string, number[]>>, x_range: BokehRange, y_range: BokehRange}} chart
 */
function draw_histogram(head, {histogram, x_range, y_range}) {
  const count = Array.from(head.counts[0]), ends = Array.from(head.edges[0])
  histogram.data = {left: ends.slice(0, -1), right: ends.slice(1), top: count.map((n) => Math.max(n, 0.7)), count}
  const [low, most] = [ends[0], ends[ends.length - 1]]
  const space = (most / low) ** 0.03
  x_range.setv({start: low / space, end: most * space})
  y_range.setv({end: 2 * Math.max(...count)})
}
