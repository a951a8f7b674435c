// Draws what is pointed at, else the token clicked at, else the brushed ones: their links, its patches, and the image under both its masks.
import {array_like} from "./arrays.js"
import {cell_of} from "./cells.js"
import {notes_on_head} from "./head_notes.js"
import {notes_about} from "./notes.js"
import {blank_pixels, grey_pixels, largest, ramp_pixels} from "./pixels.js"
import {SET, attention_of, mean_of_patches, reading_of} from "./reading.js"
import {columns_of_link, links_of_tokens, links_where, no_links, strongest_links} from "./reading_links.js"
import {caption_of_sources, caption_of_targets, name_of, words_of_reading} from "./reading_words.js"
import {words_side_by_side} from "./scales.js"

const FAINT = {value: 0.12}

/** @typedef {Model & {line_alpha: unknown}} Stroke */

const notes_on_stroke = notes_about("stroke", () => /** @type {{alpha: unknown}} */ ({alpha: null}))
const notes_on_words = notes_about("words", () => /** @type {{view: any}} */ ({view: null}))

/**
 * @typedef {object} Masks by the names "source" and "target"
 * @property {Record<string, Source<{mask: NDArray<Uint32Array>[]}>>} masks
 * @property {Record<string, Source<{image: NDArray<Uint32Array>[]}>>} scales
 * @property {Record<string, Source<Record<string, unknown[]> & {text: string[]}>>} ticks
 * @property {Record<string, number[]>} ramps
 * @property {Record<string, number[]>} opaque
 */

/**
 * @typedef {object} Tokens
 * @property {string[]} names
 * @property {number} cls -1 for none
 * @property {number} n_prefix
 * @property {number} rows
 * @property {number} cols
 * @property {number} step
 * @property {number} cell_cols
 * @property {string[]} kinds
 * @property {number[]} token_kinds
 */

/**
 * @typedef {object} Pictures
 * @property {Source<import("./head_notes.js").Head>} head
 * @property {Source<{place: string[], source: number[], target: number[]}>} pointed
 * @property {Source<{token: number[]}>} kept_token
 * @property {Source<{token: number[]}>} brushed
 * @property {Source<{mask: string[]}>} options
 * @property {Source<{image: NDArray<Uint32Array>[]}>} crop
 * @property {Source<{image: NDArray<Uint32Array>[]}>} grey
 * @property {number} darkest
 * @property {number} dimming
 * @property {Visible[]} clear
 * @property {Visible[]} dimmed
 * @property {Record<string, Figure>} pictures
 * @property {Record<string, Title>} captions
 * @property {Record<"patches" | "tokens" | "cells", Source<Record<string, unknown[]>>>} mark
 * @property {Record<string, Source<Record<string, ArrayLike<number>>>>} links
 * @property {Stroke[]} strokes of the links of each kind
 * @property {Source<Record<string, number[]>>} highlighted
 * @property {Source<Record<string, number[]>>} brushed_links those of the brushed tokens that are read
 * @property {Model & {text: string}} words
 */

/**
 * @param {Pictures & Masks & Tokens} args
 * @param {{index: ViewIndex}} cb_context
 */
export default function show_token({
  head, pointed, kept_token, brushed, names, cls, n_prefix, rows, cols, step, cell_cols, options, crop, grey, darkest,
  dimming, clear, dimmed, masks, scales, ticks, ramps, opaque, kinds, token_kinds, pictures, captions, mark, links,
  strokes, highlighted, brushed_links, words,
}, cb_context) {
  const notes = notes_on_head(head), {drawn} = notes
  if (head.data.matrix.length === 0 || drawn === null) return
  const {plain, n_tokens, scale} = drawn, n_patches = rows * cols, set = brushed.data.token
  const [place, source, target] = [pointed.data.place[0], pointed.data.source[0], pointed.data.target[0]]
  const clicked = kept_token.data.token[0] < n_tokens ? kept_token.data.token[0] : -1
  const read = reading_of({place, source, target}, {clicked, cls, has_set: set.length > 0})
  const {link, token, row, col, gives, gets} = read

  // Without CLS, and no token chosen or brushed, the mean of all patches is shown.
  if (cls < 0) notes.mean ??= mean_of_patches(plain, {n_tokens, n_prefix})
  const {mean} = notes, patches = Array.from({length: n_patches}, (_, i) => n_prefix + i)
  const known = {plain, n_tokens, mean, brushed: set}
  const given = patches.map((patch) => attention_of([row, patch], known) ?? 0)
  const got = patches.map((patch) => attention_of([patch, col], known) ?? 0)
  const is_light = options.data.mask[0] === "heat"
  for (const one of dimmed) one.visible = is_light
  for (const one of clear) one.visible = !is_light
  const image = crop.data.image[0]
  if (notes.grey_of !== image) {
    grey.data = {image: [array_like(image, grey_pixels(image, {darkest, dimming}), image.shape)]}
    notes.grey_of = image
  }
  const kind_of_set = set.every((one) => token_kinds[one] === token_kinds[set[0]]) ? token_kinds[set[0]] : 0
  const kind_of = (/** @type {number} */ one) => kinds[one === SET ? kind_of_set : one >= 0 ? token_kinds[one] : 0]
  const look = (/** @type {number} */ one) => ({kind: is_light ? kind_of(one) : "cut-out", scale, shape: [rows, cols]})
  const parts = {masks, scales, ticks, ramps, opaque}
  const width = (/** @type {Figure} */ {inner_width, x_range}) => cols * inner_width / (x_range.end - x_range.start)
  paint(parts, "source", given, {...look(row), is_known: true, is_light, width: width(pictures.source)})
  paint(parts, "target", got, {...look(col), is_known: col !== -1, is_light, width: width(pictures.target)})
  const name = (/** @type {number} */ one) => name_of(one, {names, brushed: set})
  // As if the caption's type had the size that its words are measured in.
  const room = (/** @type {string} */ one) => pictures[one].inner_width * 11 / parseFloat(captions[one].text_font_size)
  captions.source.text = caption_of_sources(name(row), room("source"))
  captions.target.text = caption_of_targets(name(col), room("target"))

  mark_tokens(mark, read, {drawn, cell: (one) => cell_of({n_prefix, rows, cols, step, cell_cols}, one), n_prefix, cols})
  const all = Object.values(links).map(({data}) => data)
  const value = link === null ? null : attention_of(link, known)
  const own = new Set(token === SET ? set : [token])
  const {found, counts} = token !== -1 ? links_of_tokens(all, {own, gives, gets}) : {found: no_links(), counts: null}
  const is_link = link !== null && value !== null && Math.min(...link) >= 0
  const {x} = drawn, has_none = token >= 0 && found.value.length === 0
  const own_links = has_none ? strongest_links(token, read, {plain, n_tokens, x}) : found
  highlighted.data = is_link ? columns_of_link(link, {value, x}) : token === SET ? no_links() : own_links
  for (const stroke of strokes) fade(stroke, has_none && !is_link)
  const of_set = token === SET ? found : link?.includes(SET) ? links_with_set(all, {link, set}) : no_links()
  if (of_set.value.length + brushed_links.data.value.length > 0) brushed_links.data = of_set
  write(words, words_of_reading(read, {names, brushed: set, value, counts}), cb_context.index)
}

/**
 * The drawn links between the brushed tokens and another one, in the direction that is read.
 *
 * @param {Record<string, ArrayLike<number>>[]} all
 * @param {{link: [number, number], set: number[]}} read
 */
function links_with_set(all, {link: [source, target], set}) {
  const own = new Set(set), is_end = (/** @type {number} */ one, /** @type {number} */ end) =>
    end === SET ? own.has(one) : one === end
  return links_where(all, (from, to) => is_end(from, source) && is_end(to, target))
}

/**
 * Lets drawn links stand back, where the token that is read has none of them and weaker ones are shown.
 *
 * @param {Stroke} stroke
 * @param {boolean} is_faint
 */
function fade(stroke, is_faint) {
  const notes = notes_on_stroke(stroke)
  if (is_faint === (notes.alpha !== null)) return
  const alpha = is_faint ? FAINT : notes.alpha
  notes.alpha = is_faint ? stroke.line_alpha : null
  stroke.line_alpha = alpha
}

/**
 * Paints the mask `name` with values, and the scale below it.
 *
 * @param {Masks} parts
 * @param {string} name
 * @param {number[]} values
 * @param {{kind: string, scale: import("./scales.js").Scale, shape: number[], is_known: boolean, is_light: boolean,
 *   width: number}} look `width` of the picture in pixels
 */
function paint({masks, scales, ticks, ramps, opaque}, name, values, {kind, scale, shape, is_known, is_light, width}) {
  const {curve, inverse} = scale, ramp = ramps[kind], most = largest(values)
  const pixels = is_known ? ramp_pixels(values, {ramp, curve}) : blank_pixels(values.length, is_light)
  const [old] = masks[name].data.mask
  masks[name].data = {mask: [array_like(old, pixels, shape)]}
  const strip = is_known ? Uint32Array.from(opaque[kind]) : new Uint32Array(ramp.length)
  scales[name].data = {image: [array_like(old, strip, [1, strip.length])]}
  const [low, middle] = [0, 0.5].map((shade) => digits(most * inverse(shade)))
  const words = [inverse(0) > 0 ? `≤ ${low}` : "0", middle, digits(most)]
  const text = is_known && most > 0 ? words_side_by_side(words, width) : ["", "", ""]
  ticks[name].data = {...ticks[name].data, text}
}

/** @param {number} value */
function digits(value) {
  return Number(value.toPrecision(2)).toString()
}

/**
 * Marks what is read: its patches in the image, its tokens on their rows, and its cells in the heatmap.
 *
 * @param {Pictures["mark"]} mark
 * @param {import("./reading.js").Reading} read
 * @param {{drawn: import("./head_notes.js").Drawn, cell: (token: number) => number, n_prefix: number, cols: number}} grid
 */
function mark_tokens(mark, {link, token, gives, gets}, {drawn, cell, n_prefix, cols}) {
  const ends = link ?? [token, token]
  const patches = (link ?? [token]).map((one, i) => ({at: one - n_prefix, is_target: i === 1}))
    .filter(({at, is_target}) => at >= 0 && !(is_target && ends[0] === ends[1]))
  mark.patches.data = {
    x: patches.map(({at}) => (at % cols) + 0.5),
    y: patches.map(({at}) => Math.floor(at / cols) + 0.5),
    width: patches.map(() => 1),
    height: patches.map(() => 1),
    dash: patches.map(({is_target}) => (is_target ? "dotted" : "solid")),
  }
  const tokens = [{one: ends[0], on: 1, is_read: gives}, {one: ends[1], on: 0, is_read: gets}]
    .filter(({one, is_read}) => one >= 0 && (link !== null || is_read))
  mark.tokens.data = {x: tokens.map(({one}) => drawn.x[one]), row: tokens.map(({on}) => on)}
  const {cells} = drawn.layout, all = cells[cells.length - 1]
  const span = (/** @type {number} */ one) => [cells[cell(one)], cells[cell(one) + 1]]
  const strips = tokens.map(({one, on}) => (on === 1 ? [0, all, ...span(one)] : [...span(one), 0, all]))
  const sides = ["left", "right", "top", "bottom"]
  mark.cells.data = Object.fromEntries(sides.map((name, i) => [name, strips.map((strip) => strip[i])]))
}

/**
 * Writes into the page itself: a change of the model would lay out the whole page again, at each move of the pointer.
 *
 * @param {Model & {text: string}} words
 * @param {string} html
 * @param {ViewIndex} index
 */
function write(words, html, index) {
  const notes = notes_on_words(words)
  words.setv({text: html}, {silent: true})
  if (!notes.view?.el.isConnected) notes.view = index.find_one(words)
  if (notes.view?.markup_el) notes.view.markup_el.innerHTML = html
}
