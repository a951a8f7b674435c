// The title of a view with its text, and what a view does in the browser alone: its colours follow the theme, and it fills
// the page and returns.
import {read, themed} from "./colours.js"
import {create} from "./create.js"
import {explained} from "./explained.js"
import {create_menu} from "./export.js"
import {apply_patches} from "./patches.js"
import {save_file} from "./save.js"
import {on_theme, theme} from "./theme.js"
import {factors_for, on_type_size, set_type_size} from "./type_size.js"

/**
 * @typedef {Component<import("./explained.js").Explained & {colours: string, dark: boolean, maximised: boolean, charts: any[]}>
 * } ViewToolsModel
 */

const is_figure = (/** @type {Model} */ model) => model.type === "Figure"
const parts_of = (/** @type {any} */ outer) =>
  new Set([...outer.model.references()].filter(is_figure).flatMap((figure) => [...figure.references()]))

/**
 * Columns of colours have "colour" in their names; a class may be called "white".
 *
 * @param {Source<Record<string, unknown>>} source
 * @param {import("./colours.js").Colours} colours
 * @param {import("./theme.js").Theme} theme
 */
function paint_source(source, colours, theme) {
  const changed = Object.entries(source.data)
    .filter(([name]) => name.includes("colour"))
    .map(([name, column]) => [name, themed(column, colours, theme)])
    .filter(([, column]) => column !== undefined)
  // Not told to the server: there, and in files of it, colours are those on light ground.
  if (changed.length > 0) source.setv({data: {...source.data, ...Object.fromEntries(changed)}}, {sync: false})
}

/**
 * @param {Model} model
 * @param {import("./colours.js").Colours} colours
 * @param {import("./theme.js").Theme} theme
 */
function paint(model, colours, theme) {
  if (model.type === "ColumnDataSource") {
    paint_source(/** @type {Source<Record<string, unknown>>} */ (model), colours, theme)
    return
  }
  /** @type {Record<string, unknown>} */
  const changed = {}
  for (const prop of model) {
    if (prop.is_unset) continue
    const colour = themed(prop.get_value(), colours, theme)
    if (colour !== undefined) changed[prop.attr] = colour
  }
  if (Object.keys(changed).length > 0) model.setv(changed, {sync: false})
}

/** @param {ViewToolsModel} model @param {any} outer view around */
function size_type(model, outer) {
  const factors = factors_for(model.maximised)
  for (const part of parts_of(outer)) set_type_size(part, factors)
}

/**
 * @param {ViewToolsModel} model
 * @param {any} outer view around
 */
function follow_theme(model, outer) {
  const colours = read(model.colours, globalThis.vitpanel?.ramps)
  const watched = new Set()
  const apply = () => {
    for (const [name, value] of Object.entries(colours.css[theme()])) outer.el.style.setProperty(name, value)
    tint_tooltips(colours.css[theme()])
    for (const part of parts_of(outer)) {
      paint(part, colours, theme())
      if (part.type !== "ColumnDataSource" || watched.has(part)) continue
      watched.add(part)
      for (const signal of [part.properties.data.change, part.patching, part.streaming]) {
        signal.connect(() => paint_source(part, colours, theme()))
      }
    }
    size_type(model, outer)
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
  const end = on_theme(apply)
  apply()
  return () => {
    end()
    outer.model.document?.remove_on_change(on_change)
  }
}

/**
 * Bokeh hangs the tooltips of figures into the page itself, where nothing else tells them of the theme.
 *
 * @param {Record<string, string>} css
 */
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

const FULL = {position: "fixed", inset: "0", width: "auto", height: "auto", margin: "0", "z-index": "1250"}
const icon = (/** @type {string} */ path) => `<svg viewBox="0 0 24 24" width="18" height="18"><path d="${path}"/></svg>`
const ICONS = {
  save: icon("M5 20h14v-2H5v2zM19 9h-4V3H9v6H5l7 7 7-7z"),
  larger: icon("M21 11V3h-8l3.3 3.3-10 10L3 13v8h8l-3.3-3.3 10-10z"),
  smaller: icon("M22 3.4 20.6 2l-4.3 4.3L13 3v8h8l-3.3-3.3zM3 13l3.3 3.3L2 20.6 3.4 22l4.3-4.3L11 21v-8z"),
}

/**
 * @param {ViewToolsModel} model
 * @param {any} outer view around
 * @param {HTMLButtonElement} button
 */
function follow_size(model, outer, button) {
  const apply = () => {
    for (const [name, value] of Object.entries(FULL)) {
      if (model.maximised) outer.el.style.setProperty(name, value)
      else outer.el.style.removeProperty(name)
    }
    size_type(model, outer)
    button.innerHTML = model.maximised ? ICONS.smaller : ICONS.larger
    button.title = model.maximised ? "Return to all views (Esc)" : "Maximise"
    button.setAttribute("aria-label", button.title)
  }
  const restore = () => { if (model.maximised) model.maximised = false }
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !model.maximised) return
    event.preventDefault()  // one press does one thing: what is brushed stays, and what lies over the page
    restore()
  }
  button.addEventListener("click", () => { model.maximised = !model.maximised })
  model.on("maximised", () => {
    apply()
    window.dispatchEvent(new Event("vp-view-sized"))
  })
  document.addEventListener("keydown", on_key)
  window.addEventListener("vp-show-all", restore)
  apply()
  return () => {
    document.removeEventListener("keydown", on_key)
    window.removeEventListener("vp-show-all", restore)
  }
}

const NOTE = `position: absolute; right: 8px; top: 40px; width: max-content; max-width: 260px; z-index: 5; padding: 4px 8px;
  font: 12px/1.35 sans-serif; color: var(--vp-text); background: var(--vp-surface); border: 1px solid var(--vp-muted);
  border-radius: 4px`

/**
 * @param {HTMLElement} box
 * @param {string} text
 */
function tell(box, text) {
  const note = create("div", {textContent: text})
  note.setAttribute("role", "status")
  note.style.cssText = NOTE
  box.replaceChildren(note)
  setTimeout(() => note.remove(), 6000)
}

/** @param {{view: any, model: ViewToolsModel, el: HTMLElement}} args */
export function render({view, model, el}) {
  let outer = view.parent
  while (!outer.model.css_classes.includes("vp-view")) outer = outer.parent
  apply_patches(outer)
  const notes = create("div", {}), larger = create("button", {type: "button", className: "tool"})
  const menu = create_menu(model, ICONS.save, (words) => tell(notes, words)), {box, close} = explained(model)
  el.append(box, create("div", {className: "tools"}, ...menu, larger, notes))
  const ends = [follow_theme(model, outer), follow_size(model, outer, larger), on_type_size(() => size_type(model, outer))]
  model.on("msg:custom", (message) => {
    const css = (/** @type {string} */ name) => getComputedStyle(outer.el).getPropertyValue(name)
    const words = message.kind === "words" ? message.text : save_file(message, css)
    if (words !== undefined) tell(notes, words)
  })
  model.on("remove", () => {
    for (const end of [close, ...ends]) end()
  })
}
