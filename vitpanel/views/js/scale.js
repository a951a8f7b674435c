// What continuous colours mean: a bar with its least, middle and largest number, and a mark at the chosen image.

/**
 * @typedef {object} Scale
 * @property {string[]} colours from the least to the largest
 * @property {string[]} words numbers at the start, in the middle and at the end
 * @property {number} place of the chosen image, from 0 to 1; below 0 for none
 * @property {string} note what the number of the chosen image is
 * @property {number} n_unknown images without a number, which are grey
 */

/** @param {string} name @param {string} text */
function create_span(name, text) {
  const span = document.createElement("span")
  span.className = name
  span.textContent = text
  return span
}

/** @param {string} caption @param {Scale} scale */
export function create_scale(caption, {colours, words, place, note, n_unknown}) {
  const box = document.createElement("div"), head = document.createElement("div")
  const bar = document.createElement("div"), numbers = document.createElement("div")
  const unknown = n_unknown > 0 ? `× ${n_unknown} not known` : ""
  box.className = "scale"
  head.className = "head"
  head.append(create_span("caption", caption), create_span("note", [note, unknown].filter(Boolean).join(" · ")))
  bar.className = "bar"
  bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`
  if (place >= 0) {
    const mark = document.createElement("i")
    mark.style.left = `${100 * place}%`
    bar.append(mark)
  }
  numbers.className = "numbers"
  numbers.append(...words.map((text) => create_span("", text)))
  box.append(head, bar, numbers)
  return box
}
