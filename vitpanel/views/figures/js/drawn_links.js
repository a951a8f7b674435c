// Sorts the links that were sent, weakest first, by kind.
import {middle_shade, put_link, room_for_links} from "./links.js"

const HIDDEN = 255

/**
 * @typedef {object} Sent
 * @property {ArrayLike<number>} places of the links in the matrix, weakest first
 * @property {ArrayLike<number>} values of the links
 * @property {number} n_tokens
 * @property {ArrayLike<number>} edges of the tokens on their rows; a token without width is not shown
 */

/**
 * @param {Sent} sent
 * @param {{kinds: string[], token_kinds: number[]}} known a link is of the later of its tokens' kinds
 * @returns {{numbers: Uint8Array, sizes: Uint32Array}} kind of each link, and how many links there are of each
 */
function kinds_of_links({places, n_tokens, edges}, {kinds, token_kinds}) {
  const numbers = new Uint8Array(places.length), sizes = new Uint32Array(kinds.length)
  for (let i = 0; i < places.length; i++) {
    const source = Math.floor(places[i] / n_tokens), target = places[i] % n_tokens
    const is_shown = edges[source] < edges[source + 1] && edges[target] < edges[target + 1]
    numbers[i] = is_shown ? Math.max(token_kinds[source], token_kinds[target]) : HIDDEN
    if (is_shown) sizes[numbers[i]]++
  }
  return {numbers, sizes}
}

/**
 * @param {Sent} sent
 * @param {{kinds: string[], token_kinds: number[], drawn: Record<string, unknown>}} known
 * @param {{shade: (value: number, kind: string) => number, n_shades: number, x: number[], rows: number[]}} look
 * @returns {Record<string, import("./links.js").KindOfLinks>} the links of each kind that is drawn
 */
export function sorted_links({places, values, n_tokens, edges}, {kinds, token_kinds, drawn}, {shade, n_shades, x, rows}) {
  const {numbers, sizes} = kinds_of_links({places, values, n_tokens, edges}, {kinds, token_kinds})
  const links = kinds.map((_, number) => room_for_links(sizes[number])), ends = kinds.map(() => 0)
  for (let i = 0; i < places.length; i++) {
    const number = numbers[i]
    if (number === HIDDEN || !(kinds[number] in drawn)) continue
    const source = Math.floor(places[i] / n_tokens), target = places[i] % n_tokens
    const {starts, shades} = links[number], at = ends[number]++
    put_link(links[number], at, {source, target, value: values[i], ends: [x[source], x[target]], rows})
    const middle = middle_shade(shade(values[i], kinds[number]), n_shades)
    if (shades[shades.length - 1] === middle) continue
    shades.push(middle)
    starts.push(at)
  }
  return Object.fromEntries(kinds.map((kind, number) => ({kind, of_kind: links[number]}))
    .filter(({kind}) => kind in drawn).map(({kind, of_kind}) => [kind, of_kind]))
}
