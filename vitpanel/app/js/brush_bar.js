// What is brushed, a sentence for each kind of items, and a panel in which brushes are inverted, kept, used again and held
// against each other.

/** @typedef {{name: string, items: string, words: string, size: string}} Brushed */
/** @typedef {{name: string, items: string, words: string}} Kept */
/**
 * @typedef {Component<{
 *   brushes: Brushed[], comparison: string, kept: Kept[], against: string | null, way: string, longest_name: number,
 * }>} Bar
 */
const GAP = 6, OPENER_WIDTH = 120, CHIP_WIDTH = 210
const WAYS = {replace: "replaces this one", add: "is added to it", intersect: "leaves what is in both", subtract: "is taken away"}

/**
 * @param {string} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} children
 * @returns {any}
 */
function create(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

const create_button = (/** @type {string} */ textContent, /** @type {string} */ label, /** @type {() => void} */ press) => {
  const button = create("button", {type: "button", textContent, title: label})
  button.setAttribute("aria-label", label)
  button.addEventListener("click", press)
  return button
}

const create_select = (
  /** @type {string} */ label, /** @type {[value: string, words: string][]} */ options, /** @type {string} */ value,
  /** @type {(value: string) => void} */ choose,
) => {
  const select = create("select", {}, ...options.map(([value, textContent]) => create("option", {value, textContent})))
  select.setAttribute("aria-label", label)
  select.value = value
  select.addEventListener("change", () => choose(select.value))
  return select
}

/** How much is brushed comes first, since the end is cut where there is no room. @param {Bar} model @param {Brushed} brushed */
function sentence(model, {name, words, size}) {
  const [how_many, ...made_of] = size.split(" · "), held = name === "images" && model.comparison ? ` ${model.comparison}` : ""
  return [how_many + held, words, ...made_of].join(" · ")
}

/** @param {Bar} model @param {Brushed} brushed */
function create_chip(model, brushed) {
  const words = create("span", {className: "words", textContent: sentence(model, brushed)})
  words.title = `Brushed: ${sentence(model, brushed)}`
  const clear = create_button("×", `Clear the brush of ${brushed.name}`, () => model.send_msg({act: "clear", name: brushed.name}))
  clear.className = "cross"
  const chip = create("div", {className: "chip"}, words, clear)
  chip.setAttribute("role", "group")
  chip.setAttribute("aria-label", `Brushed ${brushed.name}`)
  return chip
}

/** @param {Bar} model @param {Brushed} brushed */
function create_part(model, brushed) {
  const {send_msg, longest_name} = model, {name, items} = brushed
  const box = create("input", {type: "text", maxLength: longest_name, placeholder: "a name"})
  box.setAttribute("aria-label", `Name under which to keep the brush of ${name}`)
  const keep = () => send_msg({act: "keep", name, kept: box.value})
  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter") keep() })
  return [
    create("h2", {textContent: `Brushed ${items}`}),
    create("p", {textContent: sentence(model, brushed)}),
    create("div", {className: "row"},
      create_button("Invert", `Invert the brush of ${name}`, () => send_msg({act: "invert", name})),
      create_button("Clear", `Clear the brush of ${name}`, () => send_msg({act: "clear", name})),
      "Keep as", box, create_button("Keep", `Keep the brush of ${name}`, keep)),
  ]
}

/** @param {Bar} model */
function create_comparison({kept, against, send_msg}) {
  const images = kept.filter(({items}) => items === "images")
  if (!images.length) return []
  /** @type {[string, string][]} */
  const options = [["", "the rest"], ...images.map(({name}) => /** @type {[string, string]} */ ([`=${name}`, `“${name}”`]))]
  const value = against === null ? "" : `=${against}`
  const label = "Compare with"
  const select = create_select(label, options, value, (chosen) => send_msg({act: "against", kept: chosen ? chosen.slice(1) : null}))
  return [create("div", {className: "row"}, "Brushed images are compared with", select)]
}

/** @param {Bar} model */
function create_kept({kept, send_msg}) {
  if (!kept.length) return []
  const rows = kept.flatMap(({name, words}) => [
    create("span", {title: words}, create("b", {textContent: name}), " ", create("small", {textContent: words})),
    create_button("Use", `Brush “${name}”`, () => send_msg({act: "use", kept: name})),
    create_button("Forget", `Forget “${name}”`, () => send_msg({act: "forget", kept: name})),
  ])
  return [create("h2", {textContent: "Kept brushes"}), create("div", {className: "kept"}, ...rows)]
}

/** @param {{model: Bar, el: HTMLElement}} args */
export function render({model, el}) {
  const send_msg = (/** @type {unknown} */ message) => {
    refusal.textContent = ""
    model.send_msg(message)
  }
  const bar = create("div", {className: "bar"}), chips = create("div", {}), panel = create("div", {className: "panel"})
  const refusal = create("p"), host = /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (el.getRootNode()).host)
  chips.style.display = "contents"
  refusal.setAttribute("role", "alert")
  const opener = create_button("Brushes ▾", "Brushes: invert, keep, compare", () => panel.togglePopover())
  opener.className = "opener"
  opener.setAttribute("aria-expanded", "false")
  panel.popover = "auto"
  panel.setAttribute("role", "dialog")
  panel.setAttribute("aria-label", "Brushes")
  bar.append(chips, opener)
  el.append(bar, panel)
  const place = () => {
    const {right, bottom} = opener.getBoundingClientRect(), {width} = panel.getBoundingClientRect()
    panel.style.left = `${Math.max(GAP, right - width)}px`
    panel.style.top = `${bottom + GAP}px`
  }
  const fill = () => {
    const {brushes, comparison, kept, against, way, longest_name} = model
    const parts = {brushes, comparison, kept, against, way, longest_name, send_msg}
    const next = create_select("What the next brush does", Object.entries(WAYS), way, (chosen) => { model.way = chosen })
    next.title = "With keys: Shift adds, Ctrl+Shift takes away, Alt leaves what is in both."
    panel.replaceChildren(
      refusal, ...brushes.flatMap((brushed) => create_part(/** @type {Bar} */ (parts), brushed)),
      ...create_comparison(/** @type {Bar} */ (parts)),
      create("div", {className: "row"}, "The next brush", next), ...create_kept(/** @type {Bar} */ (parts)),
    )
    place()
  }
  // Who is in the panel stays where they are when it is made anew.
  const fill_again = () => {
    const root = /** @type {ShadowRoot} */ (panel.getRootNode()), before = root.activeElement
    const label = before?.getAttribute("aria-label"), {value} = /** @type {HTMLInputElement} */ (before ?? {})
    fill()
    const again = [...panel.querySelectorAll("[aria-label]")].find((part) => part.getAttribute("aria-label") === label)
    if (again instanceof HTMLInputElement && value) again.value = value
    if (again instanceof HTMLElement) again.focus()
  }
  // The panel is made when it is opened, and anew when what it says has changed.
  const show = () => {
    bar.hidden = !model.brushes.length && !model.kept.length
    // The title gives way.
    host.style.flexBasis = bar.hidden ? "0" : `${OPENER_WIDTH + CHIP_WIDTH * model.brushes.length}px`
    chips.replaceChildren(...model.brushes.map((brushed) => create_chip(model, brushed)))
    if (!panel.matches(":popover-open")) return
    if (bar.hidden) panel.hidePopover()
    else fill_again()
  }
  // Esc closes the panel, and is no key of the page meanwhile.
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return
    event.preventDefault()
    panel.hidePopover()
    opener.focus()
  }
  panel.addEventListener("toggle", (/** @type {ToggleEvent} */ event) => {
    const is_open = event.newState === "open"
    opener.setAttribute("aria-expanded", String(is_open))
    refusal.textContent = ""
    if (is_open) fill()
  })
  // At once, where `toggle` comes later: a key may be quicker.
  panel.addEventListener("beforetoggle", (/** @type {ToggleEvent} */ event) => {
    const change = event.newState === "open" ? "addEventListener" : "removeEventListener"
    document[change]("keydown", /** @type {EventListener} */ (on_key), true)
  })
  model.on(["brushes", "comparison", "kept", "against", "way"], show)
  model.on("msg:custom", (/** @type {{refusal?: string}} */ message) => { refusal.textContent = message.refusal ?? "" })
  show()
}
