// Lines of text below a picture, none wider than it.

// Whoever opens the file may have another font, with wider letters.
const SHARE = 0.92

/**
 * Texts broken where they have spaces, and a word that is too wide by itself anywhere.
 *
 * @param {string[]} texts
 * @param {number} room
 * @param {(text: string) => number} measure
 */
export function lines_within(texts, room, measure) {
  const fits = (/** @type {string} */ text) => measure(text) <= SHARE * room
  /** @type {string[]} */
  const lines = []
  for (const text of texts) {
    let line = ""
    for (const word of text.split(" ")) {
      if (line !== "" && fits(`${line} ${word}`)) {
        line = `${line} ${word}`
        continue
      }
      if (line !== "") lines.push(line)
      line = ""
      for (const letter of word) {
        if (line !== "" && !fits(line + letter)) {
          lines.push(line)
          line = ""
        }
        line += letter
      }
    }
    lines.push(line)
  }
  return lines
}
