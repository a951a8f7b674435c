// Colours on light ground, and what stands for them on dark ground.

/**
 * @typedef {object} Colours what becomes what in a theme, by the name of the theme
 * @property {Record<Theme, Map<string, string>>} single
 * @property {Record<Theme, Map<string, string[]>>} ramp by its colours, joined
 * @property {Record<Theme, Record<string, string>>} css
 */

/** @typedef {import("./theme.js").Theme} Theme */

/**
 * @param {string} text
 * @param {[string[], string[]][]} known ramps that the page has, taken where the text has none
 * @returns {Colours}
 */
export function read(text, known = []) {
  const {colours, ramps, light, dark} = JSON.parse(text)
  // Where two colours become the same, the first one is what it was.
  const both = (/** @type {[string, string][]} */ pairs) =>
    ({dark: new Map(pairs), light: new Map([...pairs].reverse().map(([a, b]) => [b, a]))})
  const pairs = /** @type {[string[], string[]][]} */ (ramps ?? known)
  // A colour that has a meaning of its own keeps it, though a ramp may have it too.
  const in_ramps = pairs.flatMap(([ramp, other]) => ramp.map((colour, i) => /** @type {[string, string]} */ ([colour, other[i]])))
  const key = (/** @type {string[]} */ ramp) => ramp.join()
  return {
    single: both(Object.entries({...Object.fromEntries(in_ramps), ...colours})),
    ramp: {
      dark: new Map(pairs.map(([a, b]) => [key(a), b])),
      light: new Map(pairs.map(([a, b]) => [key(b), a])),
    },
    css: {light, dark},
  }
}

/**
 * The colour that stands for `value` in the theme, undefined where nothing changes.
 *
 * @param {any} value of a property or a column: one colour, many, or one as Bokeh's `{value: …}`
 * @param {Pick<Colours, "single" | "ramp">} colours
 * @param {Theme} theme
 */
export function themed(value, {single, ramp}, theme) {
  if (typeof value === "string") return single[theme].get(value)
  if (Array.isArray(value) && typeof value[0] === "string") {
    const whole = ramp[theme].get(value.join())
    if (whole !== undefined) return whole
    return value.some((colour) => single[theme].has(colour))
      ? value.map((colour) => single[theme].get(colour) ?? colour)
      : undefined
  }
  if (value?.constructor === Object && typeof value.value === "string") {
    const colour = single[theme].get(value.value)
    return colour === undefined ? undefined : {...value, value: colour}
  }
}
