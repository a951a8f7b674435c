// What a view does in the browser alone: its colours follow the theme, it fills the page and returns, its charts are
// saved as files.

const is_figure = (model) => model.type === "Figure"

function read(text) {
  const {colours, ramps, light, dark} = JSON.parse(text)
  const both = (entries) => ({dark: new Map(entries), light: new Map(entries.map(([a, b]) => [b, a]).reverse())})
  const key = (ramp) => ramp.join()
  return {
    single: both(Object.entries(colours)),
    ramp: {
      dark: new Map(ramps.map(([a, b]) => [key(a), b])),
      light: new Map(ramps.map(([a, b]) => [key(b), a])),
    },
    css: {light, dark},
  }
}

// The colour that stands for `value` in the theme, undefined where nothing changes.
function themed(value, {single, ramp}, theme) {
  if (typeof value === "string") return single[theme].get(value)
  if (Array.isArray(value) && typeof value[0] === "string") {
    const whole = ramp[theme].get(value.join())
    if (whole !== undefined) return whole
    return value.some((colour) => single[theme].has(colour))
      ? value.map((colour) => single[theme].get(colour) ?? colour)
      : undefined
  }
  if (value?.constructor === Object && typeof value.value === "string") {
    const colour = single[theme].get(value.value)
    return colour === undefined ? undefined : {...value, value: colour}
  }
}

// Columns of colours have "colour" in their names; a class may be called "white".
function paint_source(source, colours, theme) {
  const changed = Object.entries(source.data)
    .filter(([name]) => name.includes("colour"))
    .map(([name, column]) => [name, themed(column, colours, theme)])
    .filter(([, column]) => column !== undefined)
  // Not told to the server: there, and in files of it, colours are those on light ground.
  if (changed.length > 0) source.setv({data: {...source.data, ...Object.fromEntries(changed)}}, {sync: false})
}

function paint(model, colours, theme) {
  if (model.type === "ColumnDataSource") return paint_source(model, colours, theme)
  const changed = {}
  for (const prop of model) {
    if (prop.is_unset) continue
    const colour = themed(prop.get_value(), colours, theme)
    if (colour !== undefined) changed[prop.attr] = colour
  }
  if (Object.keys(changed).length > 0) model.setv(changed, {sync: false})
}

// The components of panel-material-ui know the theme, whoever sets it; one of them stands beside the stage.
function follow_theme(view, model, outer) {
  const component = view.parent.child_views.find((child) => child.model.data?.dark_theme !== undefined)
  const colours = read(model.colours)
  const watched = new Set()
  const theme = () => (component.model.data.dark_theme ? "dark" : "light")
  const apply = () => {
    for (const [name, value] of Object.entries(colours.css[theme()])) outer.el.style.setProperty(name, value)
    tint_tooltips(colours.css[theme()])
    const figures = [...outer.model.references()].filter(is_figure)
    for (const part of new Set(figures.flatMap((figure) => [...figure.references()]))) {
      paint(part, colours, theme())
      if (part.type !== "ColumnDataSource" || watched.has(part)) continue
      watched.add(part)
      for (const signal of [part.properties.data.change, part.patching, part.streaming]) {
        signal.connect(() => paint_source(part, colours, theme()))
      }
    }
    model.dark = theme() === "dark"
  }
  let n_models = 0, is_due = false
  const look = () => {
    is_due = false
    const size = outer.model.document?._all_models.size ?? n_models  // the public `all_models` is a copy
    if (size === n_models) return
    n_models = size
    apply()
  }
  const on_change = () => {
    if (!is_due) queueMicrotask(look)
    is_due = true
  }
  outer.model.document.on_change(on_change)
  component.model_proxy.on("dark_theme", apply)
  apply()
  return () => outer.model.document?.remove_on_change(on_change)
}

// Bokeh hangs the tooltips of figures into the page itself, where nothing else tells them of the theme.
function tint_tooltips(css) {
  let style = document.getElementById("vp-tooltips")
  if (style === null) {
    style = document.createElement("style")
    style.id = "vp-tooltips"
    document.head.append(style)
  }
  const {"--vp-surface": surface, "--vp-text": text, "--vp-muted": muted} = css
  const rule = `.bk-Tooltip { --tooltip-color: ${surface}; --tooltip-text: ${text}; --tooltip-border: ${muted};
    --tooltip-arrow-color: ${muted}; --tooltip-arrow-inner-color: ${surface}; font-size: 12px; }`
  if (style.textContent !== rule) style.textContent = rule
}

// Bokeh 3.9 writes the stylesheet of each renderer anew whenever it paints it, and the browser then computes the styles
// of the page again. To leave a stylesheet alone that says the same already makes painting two to three times faster.
function spare_stylesheets(view) {
  let styles = view.display
  while (styles && !Object.hasOwn(styles, "_update")) styles = Object.getPrototypeOf(styles)
  if (!styles || styles._update.spares) return
  const update = styles._update
  styles._update = function (css) {
    if (this.el.textContent !== css) update.call(this, css)
  }
  styles._update.spares = true
}

// Bokeh 3.9 notes the sizes of all that a layout contains when one of them changes, but places and paints anew only if
// the layout's own has changed; a figure inside then keeps the picture of its old size for good. Here it hears of it.
function hear_of_figures(view) {
  const owner = (name) => {
    let proto = view
    while (!Object.hasOwn(proto, name)) proto = Object.getPrototypeOf(proto)
    return proto
  }
  const element = owner("_update_bbox"), layout = owner("update_bbox")
  const {_update_bbox} = element, {update_bbox} = layout
  if (update_bbox.hears) return
  let n_changed = 0
  element._update_bbox = function () {
    const is_changed = _update_bbox.call(this)
    if (is_changed && this.canvas_view !== undefined) n_changed++
    return is_changed
  }
  layout.update_bbox = function () {
    const before = n_changed
    return update_bbox.call(this) || n_changed > before
  }
  layout.update_bbox.hears = true
}

const FULL = {position: "fixed", inset: "0", width: "auto", height: "auto", margin: "0", "z-index": "1250"}

function follow_size(model, outer) {
  const apply = () => {
    for (const [name, value] of Object.entries(FULL)) {
      if (model.maximised) outer.el.style.setProperty(name, value)
      else outer.el.style.removeProperty(name)
    }
  }
  const on_key = (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && model.maximised) model.maximised = false
  }
  model.on("maximised", apply)
  document.addEventListener("keydown", on_key)
  apply()
  return () => document.removeEventListener("keydown", on_key)
}

function download(blob, file) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = file
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}

function save_svg(figure, ground, file) {
  const svg = figure.export("svg").ctx.get_svg().cloneNode(true)
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect")
  for (const [name, value] of Object.entries({width: "100%", height: "100%", fill: ground})) rect.setAttribute(name, value)
  svg.querySelector("defs").after(rect)
  download(new Blob([new XMLSerializer().serializeToString(svg)], {type: "image/svg+xml"}), file)
}

function save_png(figure, ground, file) {
  const {canvas} = figure.export("png")
  const context = canvas.getContext("2d")
  context.globalCompositeOperation = "destination-over"
  context.resetTransform()
  context.fillStyle = ground
  context.fillRect(0, 0, canvas.width, canvas.height)
  canvas.toBlob((blob) => download(blob, file))
}

const NOTE = `position: absolute; right: 8px; top: 40px; width: max-content; max-width: 260px; z-index: 5; padding: 4px 8px;
  font: 12px/1.35 sans-serif; color: var(--vp-text); background: var(--vp-surface); border: 1px solid var(--vp-muted);
  border-radius: 4px`

function tell(el, text) {
  const note = document.createElement("div")
  note.setAttribute("role", "status")
  note.style = NOTE
  note.textContent = text
  el.replaceChildren(note)
  setTimeout(() => note.remove(), 6000)
}

export function render({view, model, el}) {
  let outer = view.parent
  while (!outer.model.css_classes.includes("vp-view")) outer = outer.parent
  spare_stylesheets(outer)
  hear_of_figures(outer)
  const ends = [follow_theme(view, model, outer), follow_size(model, outer)]
  model.on("msg:custom", ({kind, figure, file, text}) => {
    if (kind === "words") return tell(el, text)
    const shown = Bokeh.index.find_one_by_id(figure)
    if (shown == null || shown.bbox.width === 0) return tell(el, "This chart is not shown now: nothing is saved.")
    const ground = getComputedStyle(outer.el).getPropertyValue("--vp-surface")
    if (kind === "csv") download(new Blob([text], {type: "text/csv"}), file)
    else if (kind === "svg") save_svg(shown, ground, file)
    else save_png(shown, ground, file)
  })
  model.on("remove", () => ends.forEach((end) => end()))
}
