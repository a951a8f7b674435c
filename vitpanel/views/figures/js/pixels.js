// Pictures as Bokeh paints them: a number for each pixel, whose bytes are red, green, blue and alpha from the lowest up.

const UNKNOWN = 0x80584a40

/**
 * A picture without its colours, between `darkest` and white as far as `dimming` goes.
 *
 * @param {ArrayLike<number>} picture
 * @param {{darkest: number, dimming: number}} shades
 */
export function grey_pixels(picture, {darkest, dimming}) {
  return Uint32Array.from(picture, (pixel) => {
    const [red, green, blue] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255]
    const shade = Math.round(darkest + dimming * (0.299 * red + 0.587 * green + 0.114 * blue))
    return ((255 << 24) | (shade << 16) | (shade << 8) | shade) >>> 0
  })
}

/**
 * Colours of values, of which the largest has the last one of the ramp.
 *
 * @param {ArrayLike<number>} values
 * @param {{ramp: ArrayLike<number>, curve: (part: number) => number}} look
 */
export function ramp_pixels(values, {ramp, curve}) {
  const most = largest(values), last = ramp.length - 1
  return Uint32Array.from(values, (value) => {
    const part = most > 0 ? Math.min(Math.max(curve(value / most), 0), 1) : 0
    return ramp[Math.round(last * part)]
  })
}

/**
 * What stands where there are no values to show: nothing, or a veil that a cut-out has where nothing is cut out.
 *
 * @param {number} n
 * @param {boolean} is_light
 */
export function blank_pixels(n, is_light) {
  return new Uint32Array(n).fill(is_light ? 0 : UNKNOWN)
}

/** @param {ArrayLike<number>} values */
export function largest(values) {
  let most = 0
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i])
  return most
}
