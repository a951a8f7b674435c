// What is read of the attention at the moment: one link, one token, or what there is without either.

/**
 * @typedef {object} Reading
 * @property {[source: number, target: number] | null} link where one is pointed at; -1 is no token
 * @property {number} token whose links are highlighted, -1 for none
 * @property {number} row token whose attention the mask of the sources shows; -1 for the mean of all patches
 * @property {number} col token whose attention from the patches the other mask shows, -1 for none
 * @property {boolean} gives whether the token is read as a source
 * @property {boolean} gets and as a target
 */

/**
 * A link is read on a mask or in the heatmap; elsewhere it is one token, with what it gives, gets, or both.
 *
 * @param {import("./pointed.js").Pointed} pointed
 * @param {{clicked: number, cls: number}} others the token that is kept and the CLS token, -1 for none
 * @returns {Reading}
 */
export function reading_of({place, source, target}, {clicked, cls}) {
  const base = clicked >= 0 ? clicked : cls
  const link = link_read({place, source, target}, base)
  const token = link !== null ? -1 : source >= 0 ? source : target >= 0 ? target : clicked
  const [row, col] = place === "heatmap" ? [source, target] : token >= 0 ? [token, token] : [base, base]
  return {link, token, row, col, gives: token >= 0 && place !== "targets", gets: token >= 0 && place !== "sources"}
}

/**
 * @param {import("./pointed.js").Pointed} pointed
 * @param {number} base
 * @returns {[number, number] | null}
 */
function link_read({place, source, target}, base) {
  if (place === "heatmap") return [source, target]
  if (place === "source") return [base, target]
  return place === "target" ? [source, base] : null
}

/**
 * Where the patches attend to on average.
 *
 * @param {ArrayLike<number>} matrix row by row
 * @param {{n_tokens: number, n_prefix: number}} sizes
 */
export function mean_of_patches(matrix, {n_tokens, n_prefix}) {
  const mean = new Float64Array(n_tokens), n_patches = n_tokens - n_prefix
  for (let i = n_prefix; i < n_tokens; i++) {
    for (let j = 0; j < n_tokens; j++) mean[j] += matrix[i * n_tokens + j] / n_patches
  }
  return mean
}

/**
 * The drawn links of a token, as columns, and how many there are of each direction.
 *
 * @param {Record<string, ArrayLike<number>>[]} links columns of each kind
 * @param {{token: number, gives: boolean, gets: boolean}} read
 */
export function links_of_token(links, {token, gives, gets}) {
  const found = no_links(), counts = {out: 0, in: 0}
  for (const columns of links) {
    for (let i = 0; i < columns.value.length; i++) {
      const is_out = gives && columns.source[i] === token, is_in = gets && columns.target[i] === token
      if (is_out) counts.out++
      if (is_in) counts.in++
      if (is_out || is_in) for (const [name, column] of Object.entries(found)) column.push(columns[name][i])
    }
  }
  return {found, counts}
}

/** @returns {Record<string, number[]>} */
export function no_links() {
  return {source: [], target: [], value: [], x0: [], x1: []}
}

/**
 * One link, as columns.
 *
 * @param {[source: number, target: number]} link
 * @param {{value: number, x: number[]}} known where the tokens stand on their rows
 * @returns {Record<string, number[]>}
 */
export function columns_of_link([source, target], {value, x}) {
  return {source: [source], target: [target], value: [value], x0: [x[source]], x1: [x[target]]}
}
