// Links of one kind, as they are drawn: weakest first, with the lines of one shade following each other as one path.

/**
 * @typedef {object} Columns
 * @property {Int32Array} source
 * @property {Int32Array} target
 * @property {Float32Array} value ascending
 * @property {Float64Array} x0
 * @property {Float64Array} x1
 */

/**
 * @typedef {object} KindOfLinks
 * @property {Columns} all
 * @property {Float64Array} xs three for each link: its two ends and NaN, which parts the lines of a path
 * @property {Float64Array} ys
 * @property {number[]} starts first link of each shade
 * @property {number[]} shades in [0, 1]
 */

/**
 * @param {number} n how many links there are
 * @returns {KindOfLinks}
 */
export function room_for_links(n) {
  const all = {
    source: new Int32Array(n), target: new Int32Array(n), value: new Float32Array(n), x0: new Float64Array(n),
    x1: new Float64Array(n),
  }
  return {all, xs: new Float64Array(3 * n).fill(NaN), ys: new Float64Array(3 * n).fill(NaN), starts: [], shades: []}
}

/**
 * @param {KindOfLinks} links
 * @param {number} at
 * @param {{source: number, target: number, value: number, ends: [number, number], rows: number[]}} link its ends are
 *   places on the two rows
 */
export function put_link({all, xs, ys}, at, {source, target, value, ends, rows}) {
  all.source[at] = source
  all.target[at] = target
  all.value[at] = value
  xs[3 * at] = all.x0[at] = ends[0]
  xs[3 * at + 1] = all.x1[at] = ends[1]
  ys[3 * at] = rows[0]
  ys[3 * at + 1] = rows[1]
}

/**
 * Middle of the shade, one of `n_shades`, in which a part of the colours is.
 *
 * @param {number} part
 * @param {number} n_shades
 */
export function middle_shade(part, n_shades) {
  return (Math.max(0, Math.min(n_shades - 1, Math.floor(n_shades * part))) + 0.5) / n_shades
}

/**
 * The links from one place on, as columns, and as paths by shade.
 *
 * @param {KindOfLinks} links
 * @param {number} first
 */
export function links_from({all, xs, ys, starts, shades}, first) {
  const n = all.value.length
  const columns = Object.fromEntries(Object.entries(all).map(([name, column]) => [name, column.subarray(first)]))
  const drawn = shades.map((_, i) => i).filter((i) => (starts[i + 1] ?? n) > first)
  const part = (/** @type {Float64Array} */ column) =>
    drawn.map((i) => column.subarray(3 * Math.max(starts[i], first), 3 * (starts[i + 1] ?? n)))
  return {columns, paths: {xs: part(xs), ys: part(ys), shade: drawn.map((i) => shades[i])}}
}
