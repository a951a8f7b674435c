// The menu of charts that can be saved, and what saves them as files.
import {SHAPES} from "./shapes.js"

const KINDS = {png: "PNG", svg: "SVG", csv: "CSV"}
const SCALES = [1, 2, 4]
/** @typedef {keyof typeof KINDS} Kind */

/**
 * @typedef {object} ChartToSave
 * @property {string} stem
 * @property {string} title
 * @property {Kind[]} kinds
 * @property {string | undefined} figure its id; undefined for what is no figure
 * @property {string} reason why it cannot be saved now; empty where it can
 * @property {string} absent what to say when it is not shown
 */

/** @typedef {{name: string, colour: string, marker: import("./shapes.js").Marker}} Group */
/** @typedef {{caption: string, groups: Group[], scale?: {colours?: string[], words?: string[]}}} Legend */
/** @typedef {{ground: string, colour: string, file: string, legend: Legend | null, scale: number}} Look */

const SVG = "http://www.w3.org/2000/svg"
const LEGEND = {size: 11, line: 16, margin: 6}
const BAR = {width: 200, height: 8}

/** @param {string} figure */
function shown(figure) {
  const view = Bokeh.index.find_one_by_id(figure)
  return view != null && view.bbox.width > 0 ? view : null
}

/**
 * @template {"button" | "canvas" | "div" | "input" | "label" | "small" | "span"} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} properties
 * @param {(Node | string)[]} children
 */
export function create(name, properties, ...children) {
  const el = document.createElement(name)
  Object.assign(el, properties)
  el.append(...children)
  return el
}

/** @param {HTMLCanvasElement} canvas */
function pen_on(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
}

function create_scales() {
  const box = create("div", {className: "scales"}, "PNG at")
  box.setAttribute("role", "radiogroup")
  box.setAttribute("aria-label", "Size of PNG files")
  for (const scale of SCALES) {
    const radio = create("input", {type: "radio", name: "scale", value: String(scale), checked: scale === 2})
    box.append(create("label", {}, radio, `${scale}×`))
  }
  return box
}

/**
 * @param {ChartToSave} chart
 * @param {(stem: string, kind: Kind) => void} save
 */
function create_row({stem, title, kinds, figure, reason, absent}, save) {
  const why = reason || (figure !== undefined && shown(figure) === null ? absent : "")
  const name = create("span", {className: "name"}, title, create("small", {textContent: why}))
  const row = create("div", {className: why ? "row off" : "row"}, name)
  for (const kind of kinds) {
    const button = create("button", {type: "button", textContent: KINDS[kind], disabled: why !== ""})
    button.setAttribute("aria-label", `${title} · ${KINDS[kind]}`)
    button.addEventListener("click", () => save(stem, kind))
    row.append(button)
  }
  return row
}

/**
 * A button, and the menu that it opens.
 *
 * @param {Component<{charts: ChartToSave[]}>} model
 * @param {string} icon
 */
export function create_menu(model, icon) {
  const scales = create_scales(), rows = create("div", {})
  const menu = create("div", {className: "menu", popover: "auto"}, scales, rows)
  menu.setAttribute("aria-label", "Export")
  const button = create("button", {type: "button", className: "tool", title: "Export", innerHTML: icon})
  button.setAttribute("aria-label", "Export")
  button.setAttribute("aria-haspopup", "true")
  button.popoverTargetElement = menu
  const save = (/** @type {string} */ stem, /** @type {Kind} */ kind) => {
    menu.hidePopover()
    const {value} = /** @type {HTMLInputElement} */ (scales.querySelector(":checked"))
    model.send_msg({save: stem, kind, scale: Number(value)})
  }
  const fill = () => rows.replaceChildren(...model.charts.map((chart) => create_row(chart, save)))
  menu.addEventListener("beforetoggle", ({newState}) => {
    if (newState !== "open") return
    model.send_msg({opened: true})  // why a chart cannot be saved may have changed
    fill()
    const {right, bottom} = button.getBoundingClientRect()
    Object.assign(menu.style, {top: `${bottom + 2}px`, right: `${window.innerWidth - right}px`})
  })
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !menu.matches(":popover-open")) return
    event.preventDefault()  // the view stays as large as it is
    menu.hidePopover()
    button.focus()
  }
  for (const el of /** @type {HTMLElement[]} */ ([menu, button])) el.addEventListener("keydown", on_key)
  model.on("charts", fill)
  return [button, menu]
}

/**
 * @param {Blob} blob
 * @param {string} file
 */
function download(blob, file) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = file
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} text
 */
function create_shape(name, attributes, text = "") {
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
 * @param {number} width
 * @param {number} height
 */
function create_svg(width, height) {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("width", String(width))
  svg.setAttribute("height", String(height))
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  return svg
}

const text_of = (/** @type {Node} */ svg) => new XMLSerializer().serializeToString(svg)

/**
 * @param {any} figure view of a figure
 * @param {Look} look
 */
function save_svg(figure, {ground, colour, file, legend}) {
  const {width, height} = figure.bbox
  const svg = figure.export("svg").ctx.get_svg().cloneNode(true)
  const rect = document.createElementNS(SVG, "rect")
  for (const [name, value] of Object.entries({width: "100%", height: "100%", fill: ground})) rect.setAttribute(name, value)
  svg.querySelector("defs").after(rect)
  if (legend !== null) {
    const {group, height: more} = draw_legend(legend, width, colour)
    group.setAttribute("transform", `translate(0 ${height})`)
    svg.append(group)
    svg.setAttribute("height", height + more)
    svg.removeAttribute("viewBox")
  }
  download(new Blob([text_of(svg)], {type: "image/svg+xml"}), file)
}

/**
 * Bokeh paints as many pixels as the screen has; here as many as are asked for. What is painted by WebGL takes the number
 * from the canvas on the page, which was made for the screen.
 *
 * @param {any} figure view of a figure
 * @param {number} scale
 * @returns {HTMLCanvasElement}
 */
function paint_at(figure, scale) {
  const own = Object.getOwnPropertyDescriptor(window, "devicePixelRatio")
  Object.defineProperty(window, "devicePixelRatio", {value: scale, configurable: true})
  Object.defineProperty(figure.canvas_view, "pixel_ratio", {value: scale, configurable: true})
  try {
    return figure.export("png").canvas
  } finally {
    Reflect.deleteProperty(figure.canvas_view, "pixel_ratio")
    if (own === undefined) Reflect.deleteProperty(window, "devicePixelRatio")
    else Object.defineProperty(window, "devicePixelRatio", own)
  }
}

/** @param {Node} svg */
async function picture_of(svg) {
  const picture = new Image()
  picture.src = `data:image/svg+xml,${encodeURIComponent(text_of(svg))}`
  await picture.decode()
  return picture
}

/**
 * @param {any} figure view of a figure
 * @param {Look} look
 */
async function save_png(figure, {ground, colour, file, legend, scale}) {
  const painted = paint_at(figure, scale), {width, height} = figure.bbox
  const below = legend === null ? null : draw_legend(legend, width, colour), more = below?.height ?? 0
  const canvas = create("canvas", {width: painted.width, height: Math.round((height + more) * scale)})
  const context = pen_on(canvas)
  context.fillStyle = ground
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(painted, 0, 0)
  if (below !== null) {
    const svg = create_svg(width, more)
    svg.append(below.group)
    context.drawImage(await picture_of(svg), 0, height * scale, width * scale, more * scale)
  }
  canvas.toBlob((blob) => {
    if (blob === null) throw new Error(`The browser cannot make a picture of ${canvas.width} × ${canvas.height} pixels.`)
    download(blob, file)
  })
}

/**
 * Saves what the server says.
 *
 * @param {Look & {kind: Kind, text: string, figure: string}} message
 * @param {(name: string) => string} css
 * @returns {string | undefined} why nothing is saved, else nothing
 */
export function save_file(message, css) {
  const {kind, file, text} = message
  if (kind === "csv") {
    download(new Blob([text], {type: "text/csv"}), file)
    return
  }
  const view = shown(message.figure)
  if (view === null) return "This chart is not shown now: nothing is saved."
  const look = {...message, ground: css("--vp-surface"), colour: css("--vp-text")}
  if (kind === "svg") save_svg(view, look)
  else save_png(view, look)
}
