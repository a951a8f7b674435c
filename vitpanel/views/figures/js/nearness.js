// How far points are from the pointer, in pixels.

/**
 * @param {{x_range: {start: number, end: number}, y_range: {start: number, end: number}, inner_width: number,
 *   inner_height: number}} fig
 * @param {{x: ArrayLike<number>, y: ArrayLike<number>}} points in the figure's data
 * @param {{x: number, y: number}} pointer in the figure's data
 * @param {number} reach in pixels
 * @returns {number} index of the nearest point within reach, the last of equally near ones; -1 if there is none
 */
export function nearest({x_range, y_range, inner_width, inner_height}, points, pointer, reach) {
  const right = inner_width / (x_range.end - x_range.start), up = inner_height / (y_range.end - y_range.start)
  let found = -1, least = reach ** 2
  for (let i = 0; i < points.x.length; i++) {
    const distance = ((points.x[i] - pointer.x) * right) ** 2 + ((points.y[i] - pointer.y) * up) ** 2
    if (distance <= least) [found, least] = [i, distance]
  }
  return found
}
