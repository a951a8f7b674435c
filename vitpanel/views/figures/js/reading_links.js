// The links of what is read, as columns.

const N_STRONGEST = 3

/**
 * The drawn links of some tokens, as columns, and how many there are of each direction.
 *
 * @param {Record<string, ArrayLike<number>>[]} links columns of each kind
 * @param {{own: ReadonlySet<number>, gives: boolean, gets: boolean}} read
 */
export function links_of_tokens(links, {own, gives, gets}) {
  const counts = {out: 0, in: 0}
  const found = links_where(links, (source, target) => {
    const is_out = gives && own.has(source), is_in = gets && own.has(target)
    if (is_out) counts.out++
    if (is_in) counts.in++
    return is_out || is_in
  })
  return {found, counts}
}

/**
 * The drawn links that are wanted, as columns.
 *
 * @param {Record<string, ArrayLike<number>>[]} links columns of each kind
 * @param {(source: number, target: number) => boolean} is_wanted
 */
export function links_where(links, is_wanted) {
  const found = no_links()
  for (const columns of links) {
    for (let i = 0; i < columns.value.length; i++) {
      if (!is_wanted(columns.source[i], columns.target[i])) continue
      for (const [name, column] of Object.entries(found)) column.push(columns[name][i])
    }
  }
  return found
}

/**
 * The strongest links of a token in each direction that is read, for one that has none above the threshold.
 *
 * @param {number} token
 * @param {{gives: boolean, gets: boolean}} read
 * @param {{plain: ArrayLike<number>, n_tokens: number, x: number[]}} known A, and where the tokens stand on their rows;
 *   those that are hidden stand nowhere
 */
export function strongest_links(token, {gives, gets}, {plain, n_tokens, x}) {
  const found = no_links(), seen = x.flatMap((at, other) => (Number.isFinite(at) ? [other] : []))
  const put = (/** @type {[number, number][]} */ links) => {
    const valued = links.map((link) => ({link, value: plain[link[0] * n_tokens + link[1]]}))
    for (const {link, value} of valued.sort((a, b) => b.value - a.value).slice(0, N_STRONGEST)) {
      for (const [name, [one]] of Object.entries(columns_of_link(link, {value, x}))) found[name].push(one)
    }
  }
  if (gives) put(seen.map((other) => [token, other]))
  // Its link to itself is one of them once.
  if (gets) put(seen.filter((other) => !gives || other !== token).map((other) => [other, token]))
  return found
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
