// A curve of what is left of a model as more and more of its heads are pruned, as SVG.

/** @typedef {{order: string, words: string, points: [number, number][]}} Line */

const WIDTH = 360, HEIGHT = 200, LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 30
const TICKS = [0, 0.25, 0.5, 0.75, 1]

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} children
 */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  made.append(...children)
  return made
}

/**
 * Where a number of heads and a share stand in a picture.
 * @param {number} n_heads
 */
export function create_scales(n_heads) {
  const x = (/** @type {number} */ n) => LEFT + (WIDTH - LEFT - RIGHT) * n / Math.max(n_heads, 1)
  const y = (/** @type {number} */ share) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
  return {x, y}
}

/**
 * @param {Line} line
 * @param {ReturnType<typeof create_scales>} scales
 * @param {(share: number) => string} number
 */
function create_line({order, words, points}, {x, y}, number) {
  const path = points.map(([n, share], at) => `${at ? "L" : "M"}${x(n).toFixed(1)} ${y(share).toFixed(1)}`).join("")
  const dots = points.map(([n, share]) => svg("circle", {cx: x(n), cy: y(share), r: 3},
    svg("title", {}, `${n} heads pruned: ${number(share)} (${words})`)))
  return svg("g", {class: order}, svg("path", {class: "line", d: path}), ...dots)
}

/**
 * @param {Line[]} lines
 * @param {object} what
 * @param {string} what.axis what is drawn, between 0 and 1
 * @param {boolean} what.is_percent whether it is told in percent
 * @param {number} what.n_heads
 */
export function create_curve(lines, {axis, is_percent, n_heads}) {
  const number = (/** @type {number} */ share) => is_percent ? `${(100 * share).toFixed(1)} %` : share.toFixed(3)
  const scales = create_scales(n_heads), {x, y} = scales
  const steps = [...new Set([0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * n_heads)))]
  const shares = TICKS.map((share) => svg("g", {},
    svg("line", {class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share)}),
    svg("text", {x: LEFT - 4, y: y(share) + 3, "text-anchor": "end"}, is_percent ? `${100 * share} %` : String(share))))
  const counts = steps.map((n) => svg("text", {x: x(n), y: HEIGHT - BOTTOM + 12, "text-anchor": "middle"}, String(n)))
  const names = [
    svg("text", {x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle"}, "heads pruned together"),
    svg("text", {x: 9, y: y(0.5), "text-anchor": "middle", transform: `rotate(-90 9 ${y(0.5)})`}, axis),
  ]
  const ground = svg("line", {class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(0), y2: y(0)})
  const picture = svg("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img"})
  picture.setAttribute("aria-label", `${axis} by the number of heads that are pruned together`)
  picture.append(...shares, ...counts, ...names, ground, ...lines.map((line) => create_line(line, scales, number)))
  return picture
}
