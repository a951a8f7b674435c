// What is said of what is read.

const WIDTH = 6  // pixels of a letter in a caption

/** @param {string | undefined} name of the token; none where the mean of all patches is shown */
export function caption_of_sources(name) {
  return name === undefined ? "mean of all patches" : `${short(name)} attends to`
}

/**
 * The longest words that have room.
 *
 * @param {string | undefined} name of the token, if there is one
 * @param {number} width in pixels
 */
export function caption_of_targets(name, width) {
  if (name === undefined) return "no CLS: choose a patch"
  const long = `Patches that attend to ${short(name)}`
  return long.length * WIDTH < width ? long : `Attend to ${short(name)}`
}

/**
 * @param {import("./reading.js").Reading} read
 * @param {{names: string[], value: number | null, counts: {out: number, in: number} | null}} known value of the link,
 *   null where it has none; counts of the token's links
 * @returns {string} HTML
 */
export function words_of_reading({link, token, gives, gets}, {names, value, counts}) {
  if (link !== null) {
    const [source, target] = link.map((one) => names[one])
    if (value === null || target === undefined) return "no CLS: choose a patch"
    return `${source ?? "mean of all patches"} → ${target}: <b>${value === 0 ? "0" : value.toPrecision(3)}</b>`
  }
  if (counts === null) return "Point at a token, a patch or the heatmap to read it; click to keep a token."
  const parts = [gives ? plural(counts.out, "out") : "", gets ? plural(counts.in, "in") : ""].filter((part) => part)
  return `<b>${names[token]}</b>: ${parts.join(", ")} above the threshold`
}

/** @param {string} name such as "patch 7 (row 1, column 2)" */
function short(name) {
  return name.split(" (")[0]
}

/**
 * @param {number} n
 * @param {string} way
 */
function plural(n, way) {
  return `${n.toLocaleString("en")} link${n === 1 ? "" : "s"} ${way}`
}
