import {lines_within} from "../../js/caption.js"
import {create, pen_on} from "../../js/create.js"

/**
 * @typedef {object} Parameters
 * @property {string} sheet
 * @property {[short: string, long: string][]} labels
 * @property {number} n_heads
 * @property {number[]} order
 * @property {number} chosen
 */

/** @typedef {Component<Parameters>} Atlas */

const MOST_COLUMNS = 12, ENLARGED = 4, LABEL = 16, GAP = 8, FONT = "12px sans-serif"

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
 * All thumbnails in the order shown, enlarged, with their names below, and lines below them all.
 *
 * @param {Atlas} model
 * @param {HTMLElement} atlas
 * @param {string[]} caption
 * @returns {Promise<Blob>}
 */
async function picture(model, atlas, caption) {
  const sheet = new Image(), look = getComputedStyle(atlas)
  sheet.src = model.sheet
  await sheet.decode()
  const size = sheet.naturalWidth / model.n_heads, side = ENLARGED * size
  const n_columns = Math.min(MOST_COLUMNS, model.order.length), n_rows = Math.ceil(model.order.length / n_columns)
  const canvas = create("canvas", {width: GAP + n_columns * (side + GAP)}), context = pen_on(canvas)
  const top = GAP + n_rows * (side + LABEL + GAP)
  context.font = FONT
  const lines = lines_within(caption, canvas.width - 2 * GAP, (text) => context.measureText(text).width)
  canvas.height = top + lines.length * LABEL + GAP
  context.fillStyle = look.getPropertyValue("--vp-surface") || "white"
  context.fillRect(0, 0, canvas.width, canvas.height)
  Object.assign(context, {imageSmoothingEnabled: false, font: FONT, textAlign: "center"})
  context.fillStyle = look.getPropertyValue("--vp-text") || "black"
  model.order.forEach((place, i) => {
    const x = GAP + (i % n_columns) * (side + GAP), y = GAP + Math.floor(i / n_columns) * (side + LABEL + GAP)
    const left = (place % model.n_heads) * size, upper = Math.floor(place / model.n_heads) * size
    context.drawImage(sheet, left, upper, size, size, x, y, side, side)
    context.fillText(model.labels[place][0], x + side / 2, y + side + 12)
  })
  context.textAlign = "left"
  lines.forEach((line, i) => { context.fillText(line, GAP, top + i * LABEL + 12) })
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("The browser cannot make a picture so large."))
      else resolve(blob)
    })
  })
}

/** @param {{model: Atlas}} args */
export function render({model}) {
  const atlas = document.createElement("div")
  atlas.className = "atlas"
  atlas.setAttribute("role", "listbox")
  atlas.setAttribute("aria-label", "All heads of the image")
  const buttons = () => /** @type {HTMLElement[]} */ ([...atlas.children])
  // Marked before the server answers; the property stays the server's own.
  let chosen = model.chosen

  const show_choice = () => {
    for (const button of buttons()) {
      const is_chosen = Number(button.dataset.place) === chosen
      button.setAttribute("aria-selected", String(is_chosen))
      button.tabIndex = is_chosen ? 0 : -1
    }
    // Tab reaches the chosen head, else the first one.
    const [first] = buttons()
    if (first !== undefined && !buttons().some((button) => button.tabIndex === 0)) first.tabIndex = 0
  }
  // Scrolls the atlas alone: `scrollIntoView` would move the page as well.
  const reveal_choice = () => {
    const button = buttons().find((button) => Number(button.dataset.place) === chosen)
    if (button === undefined) return
    const {top, bottom} = atlas.getBoundingClientRect(), own = button.getBoundingClientRect()
    atlas.scrollTop += Math.min(own.top - top, 0) + Math.max(own.bottom - bottom, 0)
  }
  const show_sheet = () => {
    const n_layers = model.labels.length / model.n_heads
    for (const button of buttons()) {
      const place = Number(button.dataset.place), picture = /** @type {HTMLElement} */ (button.firstChild)
      const x = place % model.n_heads, y = Math.floor(place / model.n_heads)
      picture.style.backgroundImage = `url(${model.sheet})`
      picture.style.backgroundSize = `${100 * model.n_heads}% ${100 * n_layers}%`
      const share = (/** @type {number} */ i, /** @type {number} */ n) => (n > 1 ? (100 * i) / (n - 1) : 0)
      picture.style.backgroundPosition = `${share(x, model.n_heads)}% ${share(y, n_layers)}%`
    }
  }
  const show_labels = () => {
    for (const button of buttons()) {
      const [short, long] = model.labels[Number(button.dataset.place)] ?? ["", ""]
      const name = /** @type {HTMLElement} */ (button.lastChild)
      name.textContent = short
      button.title = long
      button.setAttribute("aria-label", long)
    }
  }
  const show_order = () => {
    const old = new Map(buttons().map((button) => [Number(button.dataset.place), button]))
    atlas.replaceChildren(...model.order.map((place) => old.get(place) ?? create_head(place)))
    show_labels()
    show_sheet()
    show_choice()
    reveal_choice()
  }
  const create_head = (/** @type {number} */ place) => {
    const button = document.createElement("button")
    button.dataset.place = String(place)
    button.setAttribute("role", "option")
    button.append(document.createElement("i"), document.createElement("span"))
    button.addEventListener("click", () => {
      chosen = place
      show_choice()
      model.send_msg({choose: place})
    })
    return button
  }
  const columns = () => {
    const top = buttons()[0]?.offsetTop
    return Math.max(buttons().filter((button) => button.offsetTop === top).length, 1)
  }
  atlas.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns()}[event.key]
    const all = buttons(), at = all.indexOf(/** @type {HTMLElement} */ (event.target))
    if (step === undefined || at < 0) return
    event.preventDefault()
    const next = all[at + step]
    if (next === undefined) return
    all[at].tabIndex = -1
    next.tabIndex = 0
    next.focus()
  })

  model.on("msg:custom", async ({file, caption}) => {
    download(await picture(model, atlas, caption), file)
  })
  model.on("chosen", () => {
    chosen = model.chosen
    show_choice()
    reveal_choice()
  })
  model.on("sheet", show_sheet)
  model.on(["labels", "order"], show_order)
  show_order()
  new ResizeObserver(reveal_choice).observe(atlas)
  return atlas
}
