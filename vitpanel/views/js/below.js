// What is drawn below a picture that is saved: the legend, and lines that say what it is of.
import {lines_within} from "./caption.js"
import {create, pen_on} from "./create.js"
import {SHAPES} from "./shapes.js"

/** @typedef {{name: string, colour: string, marker: import("./shapes.js").Marker}} Group */
/** @typedef {{caption: string, groups: Group[], scale?: {colours?: string[], words?: string[]}}} Legend */

export const SVG = "http://www.w3.org/2000/svg"
const LEGEND = {size: 11, line: 16, margin: 6}
const BAR = {width: 200, height: 8}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} text
 */
export function create_shape(name, attributes, text = "") {
  const shape = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value))
  shape.textContent = text
  return shape
}

/**
 * A bar of colours at some height, as elements of SVG, with its numbers below.
 *
 * @param {string[]} colours
 * @param {string[]} words
 * @param {{y: number, colour: string, room: number}} place
 */
function draw_scale(colours, words, {y, colour, room}) {
  const width = Math.min(BAR.width, room), step = width / colours.length
  const steps = colours.map((fill, i) =>  // each reaches below the next one, so that no gap is seen
    create_shape("rect", {x: LEGEND.margin + i * step, y, width: width - i * step, height: BAR.height, fill}))
  const look = {y: y + BAR.height + LEGEND.size, fill: colour, "font-size": LEGEND.size, "font-family": "sans-serif"}
  const numbers = words.map((text, i) => {
    const anchor = ["start", "middle", "end"][i]
    return create_shape("text", {x: LEGEND.margin + i * width / 2, "text-anchor": anchor, ...look}, text)
  })
  return [...steps, ...numbers]
}

/**
 * Entries of a legend below a picture of some width, as elements of SVG, and their height.
 *
 * @param {Legend} legend
 * @param {number} width
 * @param {string} colour
 */
function draw_legend({caption, groups, scale}, width, colour) {
  const group = document.createElementNS(SVG, "g"), pen = pen_on(create("canvas", {}))
  pen.font = `${LEGEND.size}px sans-serif`
  let x = LEGEND.margin, y = 0
  const put = (/** @type {string} */ text, /** @type {Group | undefined} */ shape = undefined) => {
    const shift = shape === undefined ? 0 : 13, needed = shift + pen.measureText(text).width + 10
    if (x > LEGEND.margin && x + needed > width) [x, y] = [LEGEND.margin, y + LEGEND.line]
    const words = document.createElementNS(SVG, "text"), middle = y + LEGEND.line / 2
    const place = {x: x + shift, y: middle + 4, fill: colour, "font-size": LEGEND.size, "font-family": "sans-serif"}
    for (const [name, value] of Object.entries(place)) words.setAttribute(name, String(value))
    words.textContent = text
    if (shape !== undefined) {
      const mark = document.createElementNS(SVG, "g")
      mark.innerHTML = SHAPES[shape.marker]
      const look = {transform: `translate(${x} ${middle - 5})`, fill: shape.colour, stroke: colour, "stroke-width": 0.5}
      if (shape.marker === "x") look.stroke = shape.colour
      for (const [name, value] of Object.entries(look)) mark.setAttribute(name, String(value))
      group.append(mark)
    }
    group.append(words)
    x += needed
  }
  put(caption)
  for (const one of groups) put(one.name, one)
  if (scale?.colours !== undefined) {
    const room = width - 2 * LEGEND.margin
    group.append(...draw_scale(scale.colours, scale.words ?? [], {y: y + LEGEND.line + 2, colour, room}))
    y += BAR.height + LEGEND.line
  }
  return {group, height: y + LEGEND.line + LEGEND.margin}
}

/**
 * The legend, if there is one, and the caption, as elements of SVG, and their height.
 *
 * @param {{legend: Legend | null, caption: string[]}} shown
 * @param {number} width
 * @param {string} colour
 */
export function draw_below({legend, caption}, width, colour) {
  const {group, height} = legend === null
    ? {group: document.createElementNS(SVG, "g"), height: LEGEND.margin}
    : draw_legend(legend, width, colour)
  const pen = pen_on(create("canvas", {}))
  pen.font = `${LEGEND.size}px sans-serif`
  const lines = lines_within(caption, width - 2 * LEGEND.margin, (text) => pen.measureText(text).width)
  lines.forEach((text, i) => {
    const place = {x: LEGEND.margin, y: height + i * LEGEND.line + LEGEND.size, fill: colour}
    group.append(create_shape("text", {...place, "font-size": LEGEND.size, "font-family": "sans-serif"}, text))
  })
  return {group, height: height + lines.length * LEGEND.line + LEGEND.margin}
}
