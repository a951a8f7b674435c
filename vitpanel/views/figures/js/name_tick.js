// The name of a row or column at its middle.
/**
 * @param {{names: Source<{short: string[]}>}} args
 * @param {number} tick
 */
export default function name_tick({names}, tick) {
  return (Number.isInteger(tick) && names.data.short[tick]) || ""
}
