// A distance in patches, and below it in pixels.
/**
 * @param {{side: number}} args its pixels for each patch
 * @param {number} tick
 */
export default function pixel_tick({side}, tick) {
  return `${tick}\n${Math.round(tick * side)} px`
}
