// What is read of the attention at the moment: one link, one token, the brushed tokens, or what there is without any.

/** Stands in the place of a token for the brushed tokens together. */
export const SET = -2

/**
 * @typedef {object} Reading
 * @property {[source: number, target: number] | null} link where one is pointed at; -1 is no token, `SET` the brushed ones
 * @property {number} token whose links are highlighted, -1 for none, `SET` for those of the brushed tokens
 * @property {number} row token whose attention the mask of the sources shows; -1 for the mean of all patches
 * @property {number} col token whose attention from the patches the other mask shows, -1 for none
 * @property {boolean} gives whether the token is read as a source
 * @property {boolean} gets and as a target
 */

/**
 * A link is read on a mask or in the heatmap; elsewhere it is one token, with what it gives, gets, or both. What is
 * pointed at goes before the token that is kept, that one before the brushed tokens, and these before CLS.
 *
 * @param {import("./pointed.js").Pointed} pointed
 * @param {{clicked: number, cls: number, has_set: boolean}} others the token that is kept and the CLS token, -1 for none;
 *   whether tokens are brushed
 * @returns {Reading}
 */
export function reading_of({place, source, target}, {clicked, cls, has_set}) {
  const base = base_of({clicked, cls, has_set})
  const link = link_read({place, source, target}, base)
  const own = clicked >= 0 ? clicked : has_set ? SET : -1
  const token = link !== null ? -1 : source >= 0 ? source : target >= 0 ? target : own
  const [row, col] = place === "heatmap" ? [source, target] : token !== -1 ? [token, token] : [base, base]
  return {link, token, row, col, gives: token !== -1 && place !== "targets", gets: token !== -1 && place !== "sources"}
}

/**
 * What the masks are of while nothing else is pointed at.
 *
 * @param {{clicked: number, cls: number, has_set: boolean}} others
 */
export function base_of({clicked, cls, has_set}) {
  return clicked >= 0 ? clicked : has_set ? SET : cls
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
 * Attention of a link. Of the brushed tokens it is the mean of what they give, and the sum of what they get: the share of
 * the source's attention that goes to them.
 *
 * @param {[source: number, target: number]} link -1 as a source stands for all patches on average
 * @param {{plain: ArrayLike<number>, n_tokens: number, mean: ArrayLike<number> | null, brushed: number[]}} known
 * @returns {number | null} null where nobody knows
 */
export function attention_of([source, target], {plain, n_tokens, mean, brushed}) {
  const at = (/** @type {number} */ one, /** @type {number} */ other) => plain[one * n_tokens + other]
  if (source === SET) return brushed.reduce((sum, one) => sum + at(one, target), 0) / brushed.length
  if (target === SET) return brushed.reduce((sum, one) => sum + at(source, one), 0)
  if (target < 0) return null
  return source < 0 ? mean?.[target] ?? null : at(source, target)
}
