// What pruning a set of heads together does: to the chosen image, to many images, and as more and more heads go.

import {create_curve} from "./set_pruning_curve.js"

/** @typedef {{name: string, before: number, after: number, is_true: boolean}} ClassRow */
/** @typedef {{image: number, picture: string, number: string, label: string}} Thumbnail */

/**
 * @typedef {object} ImagePart
 * @property {string} words
 * @property {string} title
 * @property {string} picture
 * @property {string} message why there are no rows
 * @property {ClassRow[]} rows
 * @property {[string, string][]} facts
 * @property {boolean} is_busy
 * @property {boolean} is_wrong
 * @property {boolean | undefined} is_crisp
 */

/**
 * @typedef {object} Progress
 * @property {string} words what the results are of
 * @property {string} status
 * @property {number} done from 0 to 1
 * @property {boolean} is_busy
 * @property {boolean} is_wrong
 */

/** @typedef {Progress & {rows: string[][], facts: string[], thumbnails: Thumbnail[], is_crisp?: boolean}} ImagesPart */
/** @typedef {import("./set_pruning_curve.js").Line} Line */
/** @typedef {Progress & {order: string, n_heads: number, lines: Line[], axis: string, is_percent: boolean}} CurvePart */

/**
 * @typedef {object} Parameters
 * @property {ImagePart} image
 * @property {ImagesPart} images
 * @property {CurvePart} curve
 * @property {{images: string, curve: string}} next what would be asked now
 * @property {number} chosen
 * @property {Record<string, string>} orders
 */

/** @typedef {(message: object) => void} Send */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} children
 */
function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

/** @param {string} label @param {(Node | string)[]} children */
function create_section(label, ...children) {
  const section = element("section", {tabIndex: 0}, ...children)
  section.setAttribute("aria-label", label)
  return section
}

function create_key() {
  return element("div", {className: "hint key"}, element("i", {className: "before"}), "all heads",
    element("i", {}), "pruned · ✓ true class")
}

/** @param {ClassRow} row */
function create_class({name, before, after, is_true}) {
  const bar = (/** @type {string} */ className, /** @type {number} */ value) => {
    const made = element("i", {className})
    made.style.width = `${100 * value}%`
    return made
  }
  return element("tr", {},
    element("td", {className: "name", title: name}, `${is_true ? "✓ " : ""}${name}`),
    element("td", {className: "bars"}, bar("before", before), bar("", after)),
    element("td", {className: "number"}, before.toFixed(3)),
    element("td", {className: "number"}, after.toFixed(3)))
}

/** @param {string[]} names */
function create_head(...names) {
  const cells = names.map((name, at) => element("th", {scope: "col", className: at ? "number" : ""}, name))
  return element("thead", {}, element("tr", {}, ...cells))
}

function create_image_part() {
  const picture = element("img", {alt: ""}), title = element("h3", {}), words = element("div", {})
  const message = element("div", {}), body = element("tbody", {}), facts = element("tbody", {})
  const table = element("table", {}, create_head("class", "", "all heads", "pruned"), body), key = create_key()
  const about = element("table", {}, facts)
  message.setAttribute("role", "status")
  table.setAttribute("aria-label", "Classes before and after")
  const top = element("div", {className: "what"}, picture, element("div", {}, title, words))
  const section = create_section("The chosen image", top, message, about, table, key)
  const show = (/** @type {ImagePart} */ part) => {
    Object.assign(picture, {src: part.picture, className: part.is_crisp ? "crisp" : "", hidden: !part.picture})
    title.textContent = part.title
    words.textContent = part.words
    message.textContent = part.message
    message.className = part.is_wrong ? "wrong" : "hint"
    body.replaceChildren(...part.rows.map(create_class))
    facts.replaceChildren(...part.facts.map(([name, value]) => element("tr", {},
      element("td", {className: "hint"}, name), element("td", {className: "number"}, value))))
    table.hidden = key.hidden = about.hidden = part.rows.length === 0
    message.hidden = part.message === ""
    section.setAttribute("aria-busy", String(part.is_busy))
  }
  return {section, show}
}

/**
 * Buttons that start and stop a job, and how far it is.
 * @param {string} what
 * @param {string} title
 * @param {Send} send
 */
function create_job(what, title, send) {
  const run = element("button", {type: "button", ariaLabel: `Run: ${title}`}, "Run")
  const cancel = element("button", {type: "button", ariaLabel: `Cancel: ${title}`}, "Cancel")
  const status = element("span", {}), bar = element("progress", {max: 1}), words = element("div", {className: "hint"})
  status.setAttribute("role", "status")
  bar.setAttribute("aria-label", title)
  run.addEventListener("click", () => send({run: what}))
  cancel.addEventListener("click", () => send({cancel: what}))
  const tools = element("div", {className: "tools"}, element("h3", {}, title), run, cancel)
  const show = (/** @type {Progress} */ part, /** @type {string} */ next) => {
    const had_focus = [run, cancel].includes(/** @type {any} */ (
      /** @type {ShadowRoot} */ (run.getRootNode()).activeElement))
    run.disabled = part.is_busy
    cancel.disabled = !part.is_busy
    if (had_focus) (part.is_busy ? cancel : run).focus()
    status.textContent = part.status
    status.className = part.is_wrong ? "wrong" : ""
    bar.value = part.done
    bar.hidden = !part.is_busy
    const below = part.words && `Below: ${part.words}.`, would = part.words === next ? "" : `Run prunes: ${next}.`
    words.textContent = `${below} ${would}`.trim()
  }
  return {tools, parts: [words, status, bar], show}
}

/** @param {Send} send */
function create_images_part(send) {
  const job = create_job("images", "On many images", send)
  const body = element("tbody", {}), facts = element("div", {})
  const table = element("table", {}, create_head("", "all heads", "pruned", "change"), body)
  const pictures = element("div", {className: "thumbnails"}), most = element("div", {className: "hint"})
  table.setAttribute("aria-label", "Images before and after")
  pictures.setAttribute("role", "group")
  pictures.setAttribute("aria-label", "Images that change most")
  most.textContent = "Most changed, with their divergence in bits; press one to choose it:"
  const section = create_section("Many images", job.tools, ...job.parts, table, facts, most, pictures)
  const mark = (/** @type {number} */ chosen) => {
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (pictures.querySelectorAll("button"))) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.image) === chosen))
    }
  }
  const create_thumbnail = (/** @type {Thumbnail} */ {image, picture, number, label}, /** @type {boolean} */ is_crisp) => {
    const shown = element("img", {src: picture, alt: "", className: is_crisp ? "crisp" : ""})
    const button = element("button", {type: "button", title: label, ariaLabel: label}, shown, number)
    button.dataset.image = String(image)
    button.addEventListener("click", () => send({choose: image}))
    return button
  }
  const show = (/** @type {ImagesPart} */ part, /** @type {string} */ next, /** @type {number} */ chosen) => {
    job.show(part, next)
    body.replaceChildren(...part.rows.map(([name, ...numbers]) => element("tr", {}, element("td", {}, name),
      ...numbers.map((number) => element("td", {className: "number"}, number)))))
    facts.replaceChildren(...part.facts.map((fact) => element("div", {}, fact)))
    pictures.replaceChildren(...part.thumbnails.map((thumbnail) => create_thumbnail(thumbnail, Boolean(part.is_crisp))))
    table.hidden = facts.hidden = most.hidden = part.rows.length === 0
    mark(chosen)
  }
  return {section, show, mark, job}
}

/**
 * @param {Record<string, string>} orders
 * @param {Send} send
 */
function create_curve_part(orders, send) {
  const job = create_job("curve", "Necessity curve", send)
  const order = element("select", {ariaLabel: "Which heads go first"},
    ...Object.entries(orders).map(([value, words]) => element("option", {value}, words)))
  const place = element("div", {}), key = element("div", {className: "hint"})
  place.style.display = "contents"
  order.addEventListener("change", () => send({order: order.value}))
  job.tools.append(order)
  const section = create_section("Necessity curve", job.tools, ...job.parts, place, key)
  const show = (/** @type {CurvePart} */ part, /** @type {string} */ next) => {
    job.show(part, next)
    order.value = part.order
    const has_lines = part.lines.length > 0
    place.replaceChildren(...has_lines ? [create_curve(part.lines, part)] : [])
    key.replaceChildren(...part.lines.map(({order: name, words}) => element("div", {},
      element("span", {className: `dash ${name}`}, name === "most" ? "╌╌ " : "── "), words)))
  }
  return {section, show, job}
}

/** @param {{model: Component<Parameters>, el: HTMLElement}} args */
export function render({model, el}) {
  const send = (/** @type {object} */ message) => model.send_msg(message)
  const image = create_image_part(), images = create_images_part(send), curve = create_curve_part(model.orders, send)
  el.classList.add("pruning")
  el.append(image.section, images.section, curve.section)
  const show_image = () => image.show(model.image)
  const show_images = () => images.show(model.images, model.next.images, model.chosen)
  const show_curve = () => curve.show(model.curve, model.next.curve)
  model.on("image", show_image)
  model.on("images", show_images)
  model.on("curve", show_curve)
  model.on("next", () => {
    images.job.show(model.images, model.next.images)
    curve.job.show(model.curve, model.next.curve)
  })
  model.on("chosen", () => images.mark(model.chosen))
  show_image()
  show_images()
  show_curve()
  // The model is asked for the chosen image while somebody looks. Panel renders anew without a word when the view moves.
  const observer = new IntersectionObserver((entries) => {
    if (el.isConnected) send({seen: entries[entries.length - 1].isIntersecting})
    else observer.disconnect()
  })
  observer.observe(el)
}
