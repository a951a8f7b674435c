// Saves figures and tables as files.
import {create_shape, draw_below, SVG} from "./below.js"
import {create, pen_on} from "./create.js"

/** @typedef {{ground: string, colour: string, file: string, scale: number}} Paper */
/** @typedef {Paper & {legend: import("./below.js").Legend | null, caption: string[]}} Look */

// A picture of less would have more caption than picture.
const NARROWEST = 240

/** @param {string} figure */
export function shown(figure) {
  const view = Bokeh.index.find_one_by_id(figure)
  return view != null && view.bbox.width > 0 ? view : null
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
 * @param {Element} svg
 * @param {number} width
 * @param {number} height
 */
function set_size(svg, width, height) {
  svg.setAttribute("width", String(width))
  svg.setAttribute("height", String(height))
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
}

/**
 * Size of a figure with room for what is below it.
 *
 * @param {any} figure view of a figure
 */
function room_of(figure) {
  const {width, height} = figure.bbox
  return {width: Math.max(width, NARROWEST), height}
}

const text_of = (/** @type {Node} */ svg) => new XMLSerializer().serializeToString(svg)

/**
 * @param {any} figure view of a figure
 * @param {Look} look
 */
function save_svg(figure, look) {
  const {width, height} = room_of(figure), below = draw_below(look, width, look.colour)
  const svg = figure.export("svg").ctx.get_svg().cloneNode(true)
  const rect = create_shape("rect", {width: "100%", height: "100%", fill: look.ground})
  svg.querySelector("defs").after(rect)
  below.group.setAttribute("transform", `translate(0 ${height})`)
  svg.append(below.group)
  set_size(svg, width, height + below.height)
  download(new Blob([text_of(svg)], {type: "image/svg+xml"}), look.file)
}

/**
 * Bokeh paints as many pixels as the screen has; here as many as are asked for. What is painted by WebGL takes the number
 * from the canvas on the page, which was made for the screen, and so do the signs of a legend (Bokeh 3.9).
 *
 * @param {any} figure view of a figure
 * @param {number} scale
 * @returns {HTMLCanvasElement}
 */
function paint_at(figure, scale) {
  const own = Object.getOwnPropertyDescriptor(window, "devicePixelRatio")
  Object.defineProperty(window, "devicePixelRatio", {value: scale, configurable: true})
  Object.defineProperty(figure.canvas_view, "pixel_ratio", {value: scale, configurable: true})
  const paint_signs = () => { for (const view of figure.renderer_views.values()) view._paint_glyphs?.() }
  try {
    paint_signs()
    return figure.export("png").canvas
  } finally {
    Reflect.deleteProperty(figure.canvas_view, "pixel_ratio")
    if (own === undefined) Reflect.deleteProperty(window, "devicePixelRatio")
    else Object.defineProperty(window, "devicePixelRatio", own)
    paint_signs()
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
async function save_png(figure, look) {
  const {ground, colour, file, scale} = look, painted = paint_at(figure, scale)
  const {width, height} = room_of(figure), below = draw_below(look, width, colour)
  const canvas = create("canvas", {
    width: Math.round(width * scale), height: Math.round((height + below.height) * scale),
  })
  const context = pen_on(canvas), svg = document.createElementNS(SVG, "svg")
  context.fillStyle = ground
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(painted, 0, 0)
  svg.append(below.group)
  set_size(svg, width, below.height)
  context.drawImage(await picture_of(svg), 0, height * scale, width * scale, below.height * scale)
  canvas.toBlob((blob) => {
    if (blob === null) throw new Error(`The browser cannot make a picture of ${canvas.width} × ${canvas.height} pixels.`)
    download(blob, file)
  })
}

/**
 * Saves what the server says.
 *
 * @param {Look & {kind: import("./export.js").Kind, text: string, figure: string}} message
 * @param {(name: string) => string} css
 * @returns {string | undefined} why nothing is saved, else nothing
 */
export function save_file(message, css) {
  const {kind, file, text} = message
  if (kind === "csv" || kind === "parquet") {
    const is_text = kind === "csv", bytes = is_text ? text : Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))
    download(new Blob([bytes], {type: is_text ? "text/csv" : "application/vnd.apache.parquet"}), file)
    return
  }
  const view = shown(message.figure)
  if (view === null) return "This chart is not shown now: nothing is saved."
  const look = {...message, ground: css("--vp-surface"), colour: css("--vp-text")}
  if (kind === "svg") save_svg(view, look)
  else save_png(view, look)
}
