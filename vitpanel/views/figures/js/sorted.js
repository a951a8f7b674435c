/**
 * First place in ascending values at which there is at least `value`; their number if there is none.
 *
 * @param {ArrayLike<number>} ascending
 * @param {number} value
 */
export function first_at_least(ascending, value) {
  let first = 0, end = ascending.length
  while (first < end) {
    const middle = (first + end) >> 1
    if (ascending[middle] < value) first = middle + 1
    else end = middle
  }
  return first
}

/**
 * Interval between two of the ascending edges in which a place is; -1 outside.
 *
 * @param {ArrayLike<number>} edges
 * @param {number} place
 */
export function interval_at(edges, place) {
  let low = 0, after = edges.length - 1
  if (place < edges[0] || place >= edges[after]) return -1
  while (after - low > 1) {
    const middle = (low + after) >> 1
    if (edges[middle] <= place) low = middle
    else after = middle
  }
  return low
}
