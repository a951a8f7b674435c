/**
 * What is said of a threshold.
 *
 * @param {number} threshold_value
 * @param {{above: number, n_drawn: number, n_values: number}} counts values that are not below it, links that are
 *   drawn, and all values
 * @returns {{units: Record<string, string>, links: string}} the threshold in each unit by its name in the menu, and how
 *   many links are drawn
 */
export function threshold_words(threshold_value, {above, n_drawn, n_values}) {
  const share = (100 * above) / n_values
  const places = share >= 10 ? 0 : share >= 0.095 ? 1 : 2
  const number = (/** @type {number} */ n) => n.toLocaleString("en")
  return {
    units: {"top %": `top ${share.toFixed(places)} %`, "value": `≥ ${threshold_value.toPrecision(3)}`},
    links: n_drawn < above
      ? `Links: the ${number(n_drawn)} strongest of ${number(above)}`
      : `Links: ${number(n_drawn)} of ${number(n_values)}`,
  }
}
