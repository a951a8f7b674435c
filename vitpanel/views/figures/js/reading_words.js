// What is said of what is read.
import {SET} from "./reading.js"

const WIDTH = 6  // pixels of a letter in a caption

/**
 * What a token is called; undefined for none.
 *
 * @param {number} token `SET` for the brushed tokens
 * @param {{names: string[], brushed: number[]}} known
 */
export function name_of(token, {names, brushed}) {
  if (token !== SET) return names[token]
  return brushed.length === 1 ? names[brushed[0]] : `${brushed.length} brushed tokens`
}

/**
 * The longest words that have room.
 *
 * @param {string | undefined} name of the token, if there is one; without, the mean of all patches is shown
 * @param {number} width in pixels
 */
export function caption_of_sources(name, width) {
  if (name === undefined) return "mean of all patches"
  const verb = is_many(name) ? "attend to" : "attends to"
  return longest([`${short(name)} ${verb}`, `${without_noun(name)} ${verb}`], width)
}

/**
 * The longest words that have room.
 *
 * @param {string | undefined} name of the token, if there is one
 * @param {number} width in pixels
 */
export function caption_of_targets(name, width) {
  if (name === undefined) return "no CLS: choose a patch"
  const words = [`Patches that attend to ${short(name)}`, `Attend to ${short(name)}`, `Attend to ${without_noun(name)}`]
  return longest(words, width)
}

/**
 * @param {import("./reading.js").Reading} read
 * @param {{names: string[], brushed: number[], value: number | null, counts: {out: number, in: number} | null}} known
 *   value of the link, null where it has none; counts of the token's links
 * @returns {string} HTML
 */
export function words_of_reading({link, token, gives, gets}, {names, brushed, value, counts}) {
  if (link !== null) {
    const [source, target] = link.map((one) => name_of(one, {names, brushed}))
    if (value === null || target === undefined) return "no CLS: choose a patch"
    const number = `<b>${value === 0 ? "0" : value.toPrecision(3)}</b>`
    const how = brushed.length < 2 ? "" : link[0] === SET ? " on average" : link[1] === SET ? " in all" : ""
    return `${source ?? "mean of all patches"} → ${target}: ${number}${how}`
  }
  if (counts === null) return "Point at a token, patch or cell to read it; click keeps it, drag brushes."
  const both = `${plural(counts.out, "out")}, ${counts.in.toLocaleString("en")} in`
  const words = gives && gets ? both : gives ? plural(counts.out, "out") : plural(counts.in, "in")
  const name = name_of(token, {names, brushed}) ?? ""
  if (is_many(name)) return `<b>${name}</b>: ${words}`
  const n_read = (gives ? counts.out : 0) + (gets ? counts.in : 0)
  return `<b>${name}</b>: ${words} above the threshold${n_read === 0 ? "; its strongest are drawn" : ""}`
}

/** @param {string} name such as "patch 7 (row 1, column 2)" */
function short(name) {
  return name.split(" (")[0]
}

/** @param {string} name */
function is_many(name) {
  return name.endsWith(" tokens")
}

/** @param {string} name such as "9 brushed tokens" */
function without_noun(name) {
  return is_many(name) ? name.replace(/ tokens$/, "") : short(name)
}

/**
 * @param {string[]} words longest first
 * @param {number} width in pixels
 */
function longest(words, width) {
  return words.find((text) => text.length * WIDTH < width) ?? words[words.length - 1]
}

/**
 * @param {number} n
 * @param {string} way
 */
function plural(n, way) {
  return `${n.toLocaleString("en")} link${n === 1 ? "" : "s"} ${way}`
}
