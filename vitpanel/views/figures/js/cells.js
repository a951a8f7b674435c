// Cells of the heatmap. Where there are many patches, squares of `step × step` of them share one.
import {interval_at} from "./sorted.js"

/**
 * @typedef {object} Tokens
 * @property {number} n_prefix tokens before the patches; each has a cell of its own
 * @property {number} rows of patches
 * @property {number} cols
 * @property {number} step patches that share a cell, along each side
 * @property {number} cell_cols cells in a row of the image
 */

/** @typedef {{source: number, target: number, value: number}} Link */

/**
 * @param {Tokens} tokens
 * @param {number} token
 * @returns {number} the cell in which a token is
 */
export function cell_of({n_prefix, cols, step, cell_cols}, token) {
  if (token < n_prefix) return token
  const [row, col] = [Math.floor((token - n_prefix) / cols), (token - n_prefix) % cols]
  return n_prefix + Math.floor(row / step) * cell_cols + Math.floor(col / step)
}

/**
 * @param {Tokens} tokens
 * @param {number} cell
 * @returns {number[]} the tokens in a cell
 */
export function members_of({n_prefix, rows, cols, step, cell_cols}, cell) {
  if (cell < n_prefix) return [cell]
  const top = Math.floor((cell - n_prefix) / cell_cols) * step, left = ((cell - n_prefix) % cell_cols) * step
  const found = []
  for (let row = top; row < Math.min(top + step, rows); row++) {
    for (let col = left; col < Math.min(left + step, cols); col++) found.push(n_prefix + row * cols + col)
  }
  return found
}

/**
 * The strongest link in the cell at a place; null outside of the heatmap.
 *
 * @param {ArrayLike<number>} matrix attention, row by row
 * @param {Tokens & {n_tokens: number}} tokens
 * @param {{edges: ArrayLike<number>, x: number, y: number}} place edges are those of the cells, on both sides
 * @returns {Link | null}
 */
export function strongest_link_at(matrix, tokens, {edges, x, y}) {
  const row = interval_at(edges, y), col = interval_at(edges, x)
  if (row < 0 || col < 0) return null
  /** @type {Link | null} */
  let best = null
  for (const source of members_of(tokens, row)) {
    for (const target of members_of(tokens, col)) {
      const value = matrix[source * tokens.n_tokens + target]
      if (best === null || value > best.value) best = {source, target, value}
    }
  }
  return best
}
