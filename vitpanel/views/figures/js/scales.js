/**
 * @typedef {object} Scale
 * @property {(part: number) => number} curve shade of a part of the largest value; 1 for all of it
 * @property {(shade: number) => number} inverse
 */

/**
 * Scales of colour by the names that they have in the menu.
 *
 * @param {number} decades that the logarithmic one has
 * @returns {Record<string, Scale>}
 */
export function scales_of(decades) {
  return {
    "linear": {curve: (part) => part, inverse: (shade) => shade},
    "square root": {curve: Math.sqrt, inverse: (shade) => shade * shade},
    "log": {
      curve: (part) => Math.max(1 + Math.log10(part) / decades, -9),
      inverse: (shade) => 10 ** (decades * (shade - 1)),
    },
  }
}

/**
 * Values at the ticks of a colour bar; all that is larger has the last colour.
 *
 * @param {Scale} scale
 * @param {number} high value at the end
 * @returns {(tick: number) => string}
 */
export function words_of_ticks({inverse}, high) {
  const words = (/** @type {number} */ tick) => Number((high * inverse(tick)).toPrecision(2)).toString()
  return (tick) => (tick === 1 ? `≥ ${words(1)}` : words(tick))
}

const LETTER = 5, BETWEEN = 4

/**
 * Words below both ends of a scale and its middle, as far as there is room: for the ends alone, or for the largest alone.
 *
 * @param {string[]} words low, middle, high
 * @param {number} width of the scale in pixels
 */
export function words_side_by_side([low, middle, high], width) {
  if ((low.length + high.length) * LETTER + BETWEEN > width) return ["", "", high]
  const most = Math.max(low.length, high.length) + middle.length / 2
  return [low, most * LETTER + BETWEEN > width / 2 ? "" : middle, high]
}
