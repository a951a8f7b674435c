// Larger type in charts: in those of a view that fills the page, which one looks at from further away, and in all where the
// page has larger type.
import {watch} from "./watch.js"

/** @typedef {{text: number, title: number}} Factors of titles and names of axes, and of all other type */

/** @type {Factors} */
export const LARGER = {text: 1.35, title: 1.35}
// Where all views share a small window, titles and names have no room for more.
export const LITTLE_LARGER = {text: 1.2, title: 1.1}
// The same as in the page's own sheet (app/page.html).
const ROOMY = "(min-width: 1500px)"
const SIZE = /^([\d.]+)(px|pt|em)$/

/** By how much type of a model is larger, and what sizes were before, by property.
 * @type {WeakMap<Model, {factors: Factors, sizes: Map<string, any>}>} */
const known = new WeakMap()

/**
 * A size of type, larger; undefined for what is none.
 *
 * @param {any} value of a property: a text like "10px", or one as Bokeh's `{value: …}`
 * @param {number} factor
 */
export function resized(value, factor) {
  const is_spec = value?.constructor === Object
  const [, number, unit] = SIZE.exec(is_spec ? value.value : value) ?? []
  if (number === undefined) return
  const size = `${Math.round(Number(number) * factor * 10) / 10}${unit}`
  return is_spec ? {...value, value: size} : size
}

/**
 * @param {Model} model
 * @param {Factors | null} factors by how much larger; null for as it is
 */
export function set_type_size(model, factors) {
  const before = known.get(model)
  if ((before?.factors ?? null) === factors) return
  /** @type {Record<string, any>} */
  const changed = Object.fromEntries(before?.sizes ?? [])
  known.delete(model)
  if (factors !== null) {
    const sizes = before?.sizes ?? new Map()
    for (const prop of model) {
      if (prop.is_unset || !prop.attr.endsWith("font_size")) continue
      const value = sizes.get(prop.attr) ?? prop.get_value(), larger = resized(value, factor_of(model, prop.attr, factors))
      if (larger === undefined) continue
      sizes.set(prop.attr, value)
      changed[prop.attr] = larger
    }
    known.set(model, {factors, sizes})
  }
  // Not told to the server: how large type is on a screen is the screen's.
  if (Object.keys(changed).length > 0) model.setv(changed, {sync: false})
}

/**
 * @param {Model} model
 * @param {string} attr
 * @param {Factors} factors
 */
function factor_of({type}, attr, {text, title}) {
  return type === "Title" || attr.startsWith("axis_label") ? title : text
}

/**
 * How large type is in a view.
 *
 * @param {boolean} fills_page
 * @returns {Factors | null}
 */
export function factors_for(fills_page) {
  if (fills_page) return LARGER
  if (!is_type_large()) return null
  return matchMedia(ROOMY).matches ? LARGER : LITTLE_LARGER
}

/** Whether the page around has larger type. */
export const is_type_large = () => document.documentElement.classList.contains("vp-large")

/**
 * Call a function whenever that changes, or what the window has room for; what is returned ends that.
 *
 * @param {() => void} callback
 */
export function on_type_size(callback) {
  const end = watch(is_type_large, callback), room = matchMedia(ROOMY)
  room.addEventListener("change", callback)
  return () => {
    end()
    room.removeEventListener("change", callback)
  }
}
