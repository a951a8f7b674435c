// What a place in a picture of D2 to D5 means: a token on the two rows of tokens, a patch of the image, a link.
import {interval_at} from "./sorted.js"

/**
 * @typedef {object} Pointed
 * @property {string} place where it is: "sources", "targets", "heatmap", "image", a mask's "source" or "target"; empty
 *   where there is nothing
 * @property {number} source token, -1 for none
 * @property {number} target token, -1 for none
 */

/** @type {Pointed} */
export const NOTHING = {place: "", source: -1, target: -1}
const ROWS = {sources: 0.72, targets: 0.28}  // sources stand above the one, targets below the other

/**
 * @param {ArrayLike<number>} edges of the tokens
 * @param {{x: number, y: number}} place
 * @returns {Pointed}
 */
export function token_at(edges, {x, y}) {
  const token = interval_at(edges, x)
  if (token < 0 || (y <= ROWS.sources && y >= ROWS.targets)) return NOTHING
  return y > ROWS.sources
    ? {place: "sources", source: token, target: -1}
    : {place: "targets", source: -1, target: token}
}

/**
 * @param {string} place "image", or the mask "source" or "target"
 * @param {{n_prefix: number, rows: number, cols: number}} tokens
 * @param {{x: number, y: number}} at counted in patches from the upper left
 * @returns {Pointed} on the mask of the sources the patch is a target
 */
export function patch_at(place, {n_prefix, rows, cols}, {x, y}) {
  const col = Math.floor(x), row = Math.floor(y)
  if (!(col >= 0 && col < cols && row >= 0 && row < rows)) return NOTHING
  const token = n_prefix + row * cols + col
  return place === "source" ? {place, source: -1, target: token} : {place, source: token, target: -1}
}
