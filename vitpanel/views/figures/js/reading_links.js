// The drawn links of what is read, as columns.

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
