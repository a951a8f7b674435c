// A list of all heads in their order, one line of importance over images for each; rows are made once and moved. Heads are
// brushed in it one by one, from one to another, or by a filter.
import {create_filter} from "./head_filter.js"

/**
 * @typedef {object} Parameters by flat head index where there is one value a head
 * @property {string[]} names
 * @property {{lines: (number | null)[][], limits: [number, number]}} profiles
 * @property {{order: number[], texts: string[], places: (number | null)[] | null, heights: (number | null)[],
 *   title: string}} ranks
 * @property {{options: [key: string, words: string][], chosen: string}} orders
 * @property {{values: ([number, number, number] | [null, null, null])[] | null, words: string[]}} effects
 * @property {{heads: (number | null)[] | null, tokens: (number | null)[] | null, words: string[]}} shares parts of the
 *   largest, from 0 to 1
 * @property {import("./head_filter.js").Measure[]} measures
 * @property {[chosen: number, n_told: number, heard: number]} choice
 * @property {number[]} pinned
 * @property {string} reason
 * @property {number} n_layers
 */

const WIDTH = 56, HEIGHT = 14, ROW = 22, SVG = "http://www.w3.org/2000/svg"
const HELP = "A click chooses a head. Ctrl+click or Space brushes it or lets it go, Shift+click all from the last one to it; " +
  "p pins it."

/**
 * @template {Element} Made
 * @param {Made} made
 * @param {Record<string, string | number>} attributes
 * @param {Element} [parent]
 */
function dress(made, attributes, parent) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  parent?.append(made)
  return made
}

/**
 * @template {"button" | "div" | "i" | "option" | "select" | "span"} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @param {Element} [parent]
 */
function element(tag, attributes, parent) {
  return dress(document.createElement(tag), attributes, parent)
}

/**
 * @template {"svg" | "line" | "path" | "circle"} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @param {Element} parent
 */
function drawing(tag, attributes, parent) {
  return dress(document.createElementNS(SVG, tag), attributes, parent)
}

/**
 * @param {number} flat
 * @param {string} name
 */
function make_row(flat, name) {
  const row = element("div", {role: "option", class: "head", id: `head-${flat}`})
  row.dataset.flat = String(flat)
  const rank = element("span", {class: "rank"}, row)
  const gauges = element("span", {class: "gauges"}, row)
  const bars = {heads: element("i", {class: "of-heads"}, gauges), tokens: element("i", {class: "of-tokens"}, gauges)}
  const label = element("span", {class: "name"}, row)
  label.textContent = name
  const svg = drawing("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true"}, row)
  const zero = drawing("line", {class: "zero", x1: 0, x2: WIDTH}, svg)
  const area = drawing("path", {class: "area"}, svg)
  const dot = drawing("circle", {class: "dot", r: 2.2}, svg)
  const bar = drawing("line", {class: "effect", y1: HEIGHT / 2, y2: HEIGHT / 2, x1: WIDTH / 2}, svg)
  const interval = drawing("line", {class: "interval", y1: HEIGHT / 2, y2: HEIGHT / 2}, svg)
  const value = element("span", {class: "value"}, row)
  // No button: a head is an option, which has none inside. The key for it is that of the list.
  const pin = element("span", {class: "pin", role: "img"}, row)
  return {row, rank, bars, name, zero, area, dot, bar, interval, value, pin}
}

/** @param {{model: Component<Parameters>, el: HTMLElement}} args */
export function render({model, el}) {
  el.className = "ranked"
  const title = element("div", {class: "title"}, el)
  const tools = element("div", {class: "tools"}, el)
  const sort = element("select", {class: "sort", "aria-label": "order of the heads"}, tools)
  const opener = element("button", {class: "opener", type: "button", "aria-expanded": "false"}, tools)
  Object.assign(opener, {textContent: "Brush by …", title: "Brush heads by their layer or by a number"})
  const list = element("div", {role: "listbox", class: "list", tabindex: 0, "aria-label": "heads", title: HELP}, el)
  const place = element("div", {class: "place"}, el)
  const rows = model.names.map((name, flat) => make_row(flat, name))
  // What a person has chosen is marked before the server answers; the property stays the server's own.
  let chosen = model.choice[0], anchor = chosen, asked = 0
  let is_resorted = false  // by a person, who wants to see the first
  let refusal = ""
  // Square roots let small importances be seen beside large ones.
  const root = (/** @type {number} */ value) => Math.sign(value) * Math.sqrt(Math.abs(value))
  const height = (/** @type {number} */ value) => {
    const [low, high] = model.profiles.limits.map(root)
    return HEIGHT - 1 - ((root(value) - low) / (high - low || 1)) * (HEIGHT - 2)
  }
  const draw_lines = () => {
    const base = height(0)
    model.profiles.lines.forEach((line, flat) => {
      const {area, zero} = rows[flat]
      const step = WIDTH / Math.max(line.length - 1, 1)
      const points = line.map((value, i) => (value === null ? "" : `L${i * step},${height(value)}`))
      area.setAttribute("d", points.every(Boolean) ? `M0,${base}${points.join("")}L${WIDTH},${base}Z` : "")
      zero.setAttribute("y1", String(base))
      zero.setAttribute("y2", String(base))
    })
  }
  const draw_ranks = () => {
    const {order, texts, places, heights} = model.ranks
    order.forEach((flat, at) => {
      const {row, rank, value, dot} = rows[flat]
      rank.textContent = heights[flat] === null ? "–" : String(at + 1)
      value.textContent = texts[flat]
      const x = places?.[flat] ?? null, y = heights[flat]
      dot.style.display = x === null || y === null || model.effects.values !== null ? "none" : ""
      if (x !== null && y !== null) {
        dot.setAttribute("cx", String(x * WIDTH))
        dot.setAttribute("cy", String(Math.max(2, Math.min(HEIGHT - 2, height(y)))))
      }
      row.setAttribute("aria-posinset", String(at + 1))
    })
    list.replaceChildren(...order.map((flat) => rows[flat].row))
    show_chosen()
    if (is_resorted) list.scrollTop = 0
    is_resorted = false
  }
  // In the place of the profiles while images are brushed: how much more each head matters on them than on the others.
  const draw_effects = () => {
    const {values} = model.effects
    const largest = Math.max(1, ...(values ?? []).flat().map((value) => Math.abs(value ?? 0)))
    const x = (/** @type {number} */ value) => (WIDTH / 2) * (1 + value / largest)
    rows.forEach(({area, zero, bar, interval}, flat) => {
      const [low, middle, high] = values?.[flat] ?? [null, null, null]
      for (const part of [area, zero]) part.style.display = values === null ? "" : "none"
      for (const part of [bar, interval]) part.style.display = middle === null ? "none" : ""
      if (low === null || middle === null || high === null) return
      dress(bar, {x2: x(middle)})
      dress(interval, {x1: x(low), x2: x(high)})
    })
  }
  // Beside the name: how much of each head is brushed, and how much of its attention goes to the brushed tokens.
  const draw_shares = () => {
    const {shares, effects} = model
    for (const kind of /** @type {const} */ (["heads", "tokens"])) {
      const parts = shares[kind]
      el.classList.toggle(`has-${kind}`, parts !== null)
      rows.forEach(({row, bars}, flat) => {
        const part = parts?.[flat] ?? 0
        bars[kind].style.setProperty("--part", part > 0 ? `max(1px, ${100 * part}%)` : "0px")
        if (kind === "heads") row.classList.toggle("brushed", part > 0)
      })
    }
    rows.forEach(({row}, flat) => {
      row.title = [effects.words[flat], shares.words[flat]].filter(Boolean).join("\n") || HELP
      row.setAttribute("aria-description", row.title)
    })
  }
  const show_orders = () => {
    sort.replaceChildren(...model.orders.options.map(([value, words]) => {
      return Object.assign(element("option", {value}), {textContent: words})
    }))
    sort.value = model.orders.chosen
  }
  const show_chosen = () => {
    list.querySelector("[aria-selected=true]")?.removeAttribute("aria-selected")
    const {row, rank, name} = rows[chosen]
    if (!row.isConnected) return
    row.setAttribute("aria-selected", "true")
    list.setAttribute("aria-activedescendant", row.id)
    place.textContent = rank.textContent === "–" ? `${name} has no rank` : `${name} is ${rank.textContent} of ${rows.length}`
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight]
    if (top < list.scrollTop) list.scrollTop = top
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight
  }
  const show_title = () => {
    const words = refusal || model.reason
    title.textContent = words || model.ranks.title
    title.title = title.textContent
    if (words) title.setAttribute("role", "alert")
    else title.removeAttribute("role")
  }
  const show_pins = () => {
    rows.forEach(({name, row, pin}, flat) => {
      const number = model.pinned.indexOf(flat) + 1
      pin.textContent = number > 0 ? String(number) : "+"
      pin.title = `${number ? "Unpin" : "Pin"} ${name}`
      dress(pin, number > 0 ? {"aria-label": `pinned as ${number}`, "aria-hidden": "false"} : {"aria-hidden": "true"})
      row.classList.toggle("pinned", number > 0)
    })
  }
  const choose = (/** @type {number} */ flat) => {
    chosen = flat
    show_chosen()
    model.send_msg({choose: flat, asked: ++asked})
  }
  // All heads from the one that was brushed or chosen last to another one, as they stand in the list.
  const up_to = (/** @type {number} */ flat) => {
    const {order} = model.ranks, [from, to] = [order.indexOf(anchor), order.indexOf(flat)]
    return order.slice(Math.min(from, to), Math.max(from, to) + 1)
  }
  const brush = (/** @type {number} */ flat, /** @type {boolean} */ is_range) => {
    model.send_msg(is_range ? {add: up_to(flat)} : {brush: flat})
    anchor = flat
  }
  sort.addEventListener("change", () => {
    is_resorted = true
    model.send_msg({sort: sort.value})
  })
  /** @type {ReturnType<typeof create_filter> | null} */
  let filter = null
  opener.addEventListener("click", () => {
    const is_open = filter === null || filter.form.hidden
    if (filter === null) {
      filter = create_filter(model.n_layers, (message) => model.send_msg(message))
      filter.offer(model.measures)
      tools.after(filter.form)
      model.send_msg({filter: true})
    }
    filter.form.hidden = !is_open
    opener.setAttribute("aria-expanded", String(is_open))
    if (is_open) filter.focus()
  })
  list.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target), row = target.closest(".head")
    if (!(row instanceof HTMLElement)) return
    const flat = Number(row.dataset.flat)
    if (target.closest(".pin")) model.send_msg({toggle: flat})
    else if (event.ctrlKey || event.metaKey || event.shiftKey) brush(flat, event.shiftKey)
    else {
      anchor = flat
      choose(flat)
    }
  })
  list.addEventListener("keydown", (event) => {
    const {order} = model.ranks, at = order.indexOf(chosen), page = Math.floor(list.clientHeight / ROW)
    /** @type {Record<string, number>} */
    const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -order.length, End: order.length}
    if (event.key in steps) choose(order[Math.max(0, Math.min(order.length - 1, at + steps[event.key]))])
    else if (event.key === " ") brush(chosen, event.shiftKey)
    else if (event.key === "p") model.send_msg({toggle: chosen})
    else return
    event.preventDefault()
  })
  // What could not be done is said until a person does the next thing, wherever on the page.
  const forget = () => {
    if (!refusal) return
    refusal = ""
    show_title()
  }
  const acts = ["pointerdown", "keydown"]
  for (const act of acts) document.addEventListener(act, forget, true)
  model.on("remove", () => {
    for (const act of acts) document.removeEventListener(act, forget, true)
  })
  model.on("msg:custom", (message) => {
    refusal = message.refusal
    show_title()
  })
  // The figures of the page come first: a list is drawn when nothing has come for a moment, with all that is there.
  let waiting = 0
  /** @type {Parameters["profiles"] | null} */
  let drawn = null
  const draw = () => {
    if (drawn !== model.profiles) draw_lines()
    drawn = model.profiles
    draw_effects()
    draw_shares()
    draw_ranks()
    show_orders()
    show_title()
  }
  model.on(["profiles", "ranks", "effects", "shares", "orders", "reason"], () => {
    clearTimeout(waiting)
    waiting = setTimeout(draw, 60)
  })
  model.on("choice", () => {
    const [flat, , heard] = model.choice
    if (heard < asked) return  // to an earlier choice; the answer to the last one will come
    chosen = flat
    show_chosen()
  })
  model.on("pinned", show_pins)
  model.on("measures", () => filter?.offer(model.measures))
  draw()
  show_pins()
  new ResizeObserver(show_chosen).observe(list)
}
