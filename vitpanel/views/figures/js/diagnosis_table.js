// A page of a long table: headings that sort, rows that are chosen, and steps from page to page. Each row has one button,
// of which Tab reaches one and the arrow keys the others.

/**
 * @typedef {object} Row
 * @property {number[]} place image, layer, head
 * @property {string} name
 * @property {string[]} cells one for each heading
 * @property {string} why
 */

/** @typedef {{column: string, words: string, is_number: boolean}} Heading */

/**
 * @typedef {object} Page
 * @property {Row[]} rows
 * @property {Record<string, string>} pictures their addresses, by image
 * @property {string} by column that the rows are sorted by; empty for none
 * @property {boolean} descending
 * @property {number} number of this page, from 0
 * @property {number} first row of this page, from 0
 * @property {number} n_rows
 * @property {number} n_pages
 */

/**
 * @typedef {object} Parameters
 * @property {Heading[]} headings
 * @property {string} help
 * @property {Page | {rows: undefined}} page
 * @property {string} words
 * @property {boolean} is_busy
 * @property {number[]} chosen
 */

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

/**
 * @param {Heading} heading
 * @param {(message: object) => void} send
 */
function create_heading({column, words, is_number}, send) {
  const sign = element("i", {ariaHidden: "true"})
  const button = element("button", {type: "button", title: `Sort by ${words}`}, words)
  button[is_number ? "prepend" : "append"](sign)  // numbers end where their heading ends
  button.addEventListener("click", () => send({sort: column}))
  const cell = element("th", {scope: "col", className: is_number ? "number" : ""}, button)
  const show = (/** @type {Page} */ {by, descending}) => {
    sign.textContent = by !== column ? "" : descending ? "▾" : "▴"
    if (by === column) cell.setAttribute("aria-sort", descending ? "descending" : "ascending")
    else cell.removeAttribute("aria-sort")
  }
  return {cell, show}
}

/**
 * @param {Row} row
 * @param {Heading[]} headings
 * @param {string | undefined} picture
 */
function create_row({name, cells, why}, headings, picture) {
  const button = element("button", {type: "button", className: "row", tabIndex: -1, ariaLabel: `Go to ${name}`})
  if (picture) button.append(element("img", {src: picture, alt: ""}))
  button.append(cells[0])
  const rest = headings.slice(1).map(({is_number}, at) =>
    element("td", {className: is_number ? "number" : ""}, cells[at + 1]))
  const line = element("tr", {}, element("td", {}, button), ...rest, element("td", {className: "why"}, why))
  return {line, button}
}

const STEPS = /** @type {const} */ ([
  ["First page", "«", () => 0],
  ["Previous page", "‹", (/** @type {number} */ number) => number - 1],
  ["Next page", "›", (/** @type {number} */ number) => number + 1],
  ["Last page", "»", (/** @type {number} */ _number, /** @type {number} */ last) => last],
])

/**
 * @param {() => Parameters["page"]} current
 * @param {(message: object) => void} send
 */
function create_foot(current, send) {
  const place = element("span", {}), state = element("span", {className: "state"})
  place.setAttribute("role", "status")
  state.setAttribute("role", "status")
  const buttons = STEPS.map(([label, textContent, target]) => {
    const button = element("button", {type: "button", ariaLabel: label, title: label, textContent})
    button.addEventListener("click", () => {
      const page = current()
      if (page.rows !== undefined) send({page: target(page.number, page.n_pages - 1)})
    })
    return button
  })
  const foot = element("div", {className: "foot"}, ...buttons.slice(0, 2), place, ...buttons.slice(2), state)
  const show = (/** @type {Page} */ {rows, number, first, n_rows, n_pages}) => {
    const count = (/** @type {number} */ value) => value.toLocaleString("en")
    const range = rows.length ? ` · rows ${count(first + 1)} to ${count(first + rows.length)} of ${count(n_rows)}` : ""
    place.textContent = n_pages ? `page ${count(number + 1)} of ${count(n_pages)}${range}` : "no rows"
    buttons.forEach((button, at) => { button.disabled = at < 2 ? number <= 0 : number >= n_pages - 1 })
  }
  const show_busy = (/** @type {boolean} */ is_busy) => {
    state.textContent = is_busy ? "computing …" : ""
    state.classList.toggle("late", is_busy)
  }
  return {foot, show, show_busy}
}

/** @param {{model: Component<Parameters>, el: HTMLElement}} args */
export function render({model, el}) {
  const send = (/** @type {object} */ message) => model.send_msg(message)
  const headings = model.headings.map((heading) => create_heading(heading, send))
  const help = element("div", {className: "help"}), body = element("tbody", {})
  const why = element("th", {scope: "col"}, element("span", {textContent: "why"}))
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...headings.map(({cell}) => cell), why)), body)
  table.setAttribute("aria-label", "Heads on images")
  const words = element("div", {className: "words"}), frame = element("div", {className: "frame"}, table, words)
  const {foot, show, show_busy} = create_foot(() => model.page, send)
  words.setAttribute("role", "status")
  el.classList.add("diagnosis")
  el.append(help, frame, foot)

  /** @type {{place: number[], line: HTMLElement, button: HTMLButtonElement}[]} */
  let rows = []
  let chosen = model.chosen
  const reach = (/** @type {HTMLButtonElement | undefined} */ reached) => {
    for (const {button} of rows) button.tabIndex = button === reached ? 0 : -1
  }
  const show_chosen = () => {
    for (const {place, line} of rows) {
      if (place.join() === chosen.join()) line.setAttribute("aria-current", "true")
      else line.removeAttribute("aria-current")
    }
  }
  const choose = (/** @type {number[]} */ place) => {
    chosen = place
    show_chosen()
    send({choose: place})
  }
  const show_page = () => {
    const {page} = model
    if (page.rows === undefined) return
    const had_focus = body.contains(/** @type {ShadowRoot} */ (el.getRootNode()).activeElement)
    rows = page.rows.map((row) => ({place: row.place, ...create_row(row, model.headings, page.pictures[row.place[0]])}))
    for (const {place, line} of rows) line.addEventListener("click", () => choose(place))
    body.replaceChildren(...rows.map(({line}) => line))
    for (const heading of headings) heading.show(page)
    show(page)
    show_chosen()
    reach(rows[0]?.button)
    if (had_focus) rows[0]?.button.focus()
    frame.scrollTop = 0
  }
  const show_words = () => {
    help.textContent = model.help
    words.textContent = model.words
    words.hidden = model.words === ""
    foot.hidden = table.hidden = model.words !== ""
  }
  const show_state = () => {
    show_busy(model.is_busy)
    table.setAttribute("aria-busy", String(model.is_busy))
  }
  body.addEventListener("keydown", (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1, Home: -rows.length, End: rows.length}[event.key]
    const at = rows.findIndex(({button}) => button === event.target)
    if (step === undefined || at < 0) return
    event.preventDefault()
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))].button
    reach(next)
    next.focus()
  })
  model.on("page", show_page)
  model.on(["words", "help"], show_words)
  model.on("is_busy", show_state)
  model.on("chosen", () => {
    chosen = model.chosen
    show_chosen()
  })
  show_page()
  show_words()
  show_state()
}
