// A list of all heads in their order, one line of importance over images for each; rows are made once and moved.
const WIDTH = 56, HEIGHT = 14, ROW = 22, SVG = "http://www.w3.org/2000/svg"

function element(tag, attributes, parent, space) {
  const made = space ? document.createElementNS(space, tag) : document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  parent?.append(made)
  return made
}

function make_row(flat, name) {
  const row = element("div", {role: "option", class: "head", id: `head-${flat}`})
  row.dataset.flat = flat
  const rank = element("span", {class: "rank"}, row)
  const label = element("span", {class: "name"}, row)
  label.textContent = name
  const svg = element("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": true}, row, SVG)
  const zero = element("line", {class: "zero", x1: 0, x2: WIDTH}, svg, SVG)
  const area = element("path", {class: "area"}, svg, SVG)
  const dot = element("circle", {class: "dot", r: 2.2}, svg, SVG)
  const value = element("span", {class: "value"}, row)
  const pin = element("button", {class: "pin", type: "button", tabindex: -1}, row)
  return {row, rank, name, zero, area, dot, value, pin}
}

export function render({model, el}) {
  el.className = "ranked"
  const title = element("div", {class: "title"}, el)
  const list = element("div", {role: "listbox", class: "list", tabindex: 0, "aria-label": "heads by importance"}, el)
  const place = element("div", {class: "place"}, el)
  const rows = model.names.map((name, flat) => make_row(flat, name))
  // What a person has chosen is marked before the server answers. The property stays the server's own, so that an
  // answer which is what the server said last is no reason to say nothing.
  let chosen = model.chosen
  let refusal = ""
  // Square roots let small importances be seen beside large ones.
  const root = (value) => Math.sign(value) * Math.sqrt(Math.abs(value))
  const height = (value) => {
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
      zero.setAttribute("y1", base)
      zero.setAttribute("y2", base)
    })
  }
  const draw_ranks = () => {
    const {order, texts, places, heights} = model.ranks
    order.forEach((flat, at) => {
      const {row, rank, value, dot} = rows[flat]
      rank.textContent = heights[flat] === null ? "–" : at + 1
      value.textContent = texts[flat]
      const is_placed = places !== null && places[flat] !== null
      dot.style.display = is_placed ? "" : "none"
      if (is_placed) {
        dot.setAttribute("cx", places[flat] * WIDTH)
        dot.setAttribute("cy", Math.max(2, Math.min(HEIGHT - 2, height(heights[flat]))))
      }
      row.setAttribute("aria-posinset", at + 1)
    })
    list.replaceChildren(...order.map((flat) => rows[flat].row))
    show_chosen()
  }
  const show_chosen = () => {
    list.querySelector("[aria-selected=true]")?.removeAttribute("aria-selected")
    const {row, rank, name} = rows[chosen]
    if (!row.isConnected) return
    row.setAttribute("aria-selected", true)
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
      pin.textContent = number || "+"
      pin.title = `${number ? "Unpin" : "Pin"} ${name}`
      row.classList.toggle("pinned", number > 0)
    })
  }
  const choose = (flat) => {
    chosen = flat
    show_chosen()
    model.send_msg({choose: flat})
  }
  list.addEventListener("click", (event) => {
    const row = event.target.closest(".head")
    if (row === null) return
    const flat = Number(row.dataset.flat)
    if (event.target.closest(".pin")) model.send_msg({toggle: flat})
    else choose(flat)
  })
  list.addEventListener("keydown", (event) => {
    const {order} = model.ranks, at = order.indexOf(chosen), page = Math.floor(list.clientHeight / ROW)
    const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -order.length, End: order.length}
    if (event.key in steps) choose(order[Math.max(0, Math.min(order.length - 1, at + steps[event.key]))])
    else if (event.key === "p" || event.key === " ") model.send_msg({toggle: chosen})
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
  let waiting = 0, drawn = null
  const draw = () => {
    if (drawn !== model.profiles) draw_lines()
    drawn = model.profiles
    draw_ranks()
    show_title()
  }
  model.on(["profiles", "ranks", "reason"], () => {
    clearTimeout(waiting)
    waiting = setTimeout(draw, 60)
  })
  model.on("chosen", () => {
    chosen = model.chosen
    show_chosen()
  })
  model.on("pinned", show_pins)
  draw()
  show_pins()
  new ResizeObserver(show_chosen).observe(list)
}
