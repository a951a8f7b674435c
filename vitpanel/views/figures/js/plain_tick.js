// A tick as bars are labelled: 0.25, and 3e-4 rather than 3.000e−4.
/** @param {number} tick */
export default function plain_tick(tick) {
  const number = Number(tick.toPrecision(6)), size = Math.abs(number)
  const text = size > 0 && size < 0.001 ? size.toExponential() : String(size)
  return number < 0 ? `−${text}` : text
}
