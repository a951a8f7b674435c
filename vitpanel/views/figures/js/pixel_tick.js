// A distance in patches, and below it in pixels.
export default function pixel_tick({side}, tick) {
  return `${tick}\n${Math.round(tick * side)} px`
}
