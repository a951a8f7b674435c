// What the scripts of D2 to D5 leave for each other: the head as it is drawn, and how it is looked at.
import {notes_about} from "./notes.js"

/**
 * @typedef {object} Head columns of the one row that the server writes
 * @property {NDArray<Float32Array>[]} matrix attention, source × target
 * @property {NDArray<Float32Array>[]} pooled strongest of each cell of the heatmap; empty where a cell is one link
 * @property {ArrayLike<number>[]} links the strongest, as places in the matrix, weakest first
 * @property {ArrayLike<number>[]} counts
 * @property {ArrayLike<number>[]} edges of the histogram's bars
 * @property {ArrayLike<number>[]} limits value for each kind of link at the end of its scale
 * @property {number[]} threshold_value where the bar stands at first
 */

/**
 * @typedef {object} Layout
 * @property {number[]} tokens edges of the tokens on the two rows
 * @property {number[]} cells edges of the heatmap's cells
 * @property {Record<string, Record<string, number[]>>} blocks for each kind of link, where its parts of the heatmap are
 */

/**
 * @typedef {object} Drawn
 * @property {NDArray<Float32Array>} matrix as the server sent it
 * @property {Float32Array} plain the same memory, faster to read
 * @property {number} n_tokens
 * @property {Layout} layout
 * @property {import("./scales.js").Scale} scale
 * @property {(value: number, kind: string) => number} shade part of the colours that a value reaches
 * @property {(x: number, y: number) => import("./cells.js").Link | null} link_at link that a place in the heatmap means
 * @property {number[]} x middle of each token on its row
 * @property {Float32Array} values of the strongest links, ascending
 * @property {Record<string, import("./links.js").KindOfLinks>} links
 */

/**
 * @typedef {object} HeadNotes
 * @property {Drawn | null} drawn null before the first head
 * @property {boolean} is_dragged whether the threshold is
 * @property {{from: {x: number, y: number}, held: Record<string, boolean>} | null} drag over tokens, while there is one:
 *   where it began, and the keys that were held
 * @property {Float64Array | null} mean attention of all patches, once it is asked for
 * @property {ArrayLike<number> | null} grey_of picture of which there is one without colours
 */

export const notes_on_head = notes_about("head", () => /** @type {HeadNotes} */ ({
  drawn: null, is_dragged: false, drag: null, mean: null, grey_of: null,
}))
