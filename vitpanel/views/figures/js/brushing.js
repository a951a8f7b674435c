// What a drag over a picture of D2 to D5 marks: from one place to another, patches, tokens, or cells of the heatmap.
import {interval_at} from "./sorted.js"

/**
 * @typedef {object} Drag
 * @property {"patches" | "tokens" | "rows" | "columns"} kind rows and columns are cells of the heatmap
 * @property {[number, number]} x first and last
 * @property {[number, number]} y first and last row of patches; else 0
 */

/** @typedef {{x: number, y: number}} Place */

/**
 * @param {string} place "image", a mask's "source" or "target", "lines" or "heatmap"
 * @param {[Place, Place]} ends where the drag began, and where it is now
 * @param {{rows: number, cols: number, tokens: ArrayLike<number>, cells: ArrayLike<number>}} known edges of tokens on
 *   their rows, and of the heatmap's cells
 * @returns {Drag}
 */
export function drag_between(place, [from, to], {rows, cols, tokens, cells}) {
  const span = (/** @type {(at: Place) => number} */ find) => ascending([find(from), find(to)])
  if (place === "lines") return {kind: "tokens", x: span(({x}) => interval_near(tokens, x)), y: [0, 0]}
  if (place === "heatmap") {
    const is_down = Math.abs(to.y - from.y) > Math.abs(to.x - from.x)
    return {kind: is_down ? "rows" : "columns", x: span(({x, y}) => interval_near(cells, is_down ? y : x)), y: [0, 0]}
  }
  const within = (/** @type {number} */ at, /** @type {number} */ n) => Math.max(0, Math.min(n - 1, Math.floor(at)))
  return {kind: "patches", x: span(({x}) => within(x, cols)), y: span(({y}) => within(y, rows))}
}

/**
 * What a drag would mark, as the marks of what is pointed at; nothing without one.
 *
 * @param {Drag | null} drag
 * @param {{x: number[], cells: ArrayLike<number>}} known middle of each token, and edges of the heatmap's cells
 * @returns {Record<"patches" | "tokens" | "cells", Record<string, unknown[]>>}
 */
export function marks_of(drag, {x, cells}) {
  const {kind, x: [left, right], y: [top, bottom]} = drag ?? {kind: "", x: [0, 0], y: [0, 0]}
  const size = cells[cells.length - 1], span = [cells[left], cells[right + 1]]
  const sides = kind === "rows" ? [[0], [size], [span[0]], [span[1]]] : [[span[0]], [span[1]], [0], [size]]
  const is_cells = kind === "rows" || kind === "columns"
  const own = kind === "tokens" ? x.slice(left, right + 1) : []
  const is_block = kind === "patches"
  return {
    patches: {
      x: is_block ? [(left + right + 1) / 2] : [], y: is_block ? [(top + bottom + 1) / 2] : [],
      width: is_block ? [right - left + 1] : [], height: is_block ? [bottom - top + 1] : [],
      dash: is_block ? ["solid"] : [],
    },
    tokens: {x: [...own, ...own], row: [...own.map(() => 1), ...own.map(() => 0)]},
    cells: Object.fromEntries(["left", "right", "top", "bottom"].map((name, i) => [name, is_cells ? sides[i] : []])),
  }
}

/**
 * Interval between two of the ascending edges in which a place is; beyond the ends the first or the last.
 *
 * @param {ArrayLike<number>} edges
 * @param {number} place
 */
function interval_near(edges, place) {
  const found = interval_at(edges, place)
  return found >= 0 ? found : place < edges[0] ? 0 : edges.length - 2
}

/**
 * @param {[number, number]} pair
 * @returns {[number, number]}
 */
function ascending([a, b]) {
  return a <= b ? [a, b] : [b, a]
}
