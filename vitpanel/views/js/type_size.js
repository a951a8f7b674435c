// Larger type in charts: in those of a view that fills the page, which one looks at from further away, and in all where the
// page has larger type.
import {watch} from "./watch.js"

const LARGER = 1.35
const SIZE = /^([\d.]+)(px|pt|em)$/

/** What sizes were before, by model and property. @type {WeakMap<Model, Map<string, any>>} */
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
 * @param {boolean} is_large
 */
export function set_type_size(model, is_large) {
  const before = known.get(model) ?? new Map()
  if (is_large === known.has(model)) return
  /** @type {Record<string, any>} */
  const changed = {}
  if (is_large) {
    for (const prop of model) {
      if (prop.is_unset || !prop.attr.endsWith("font_size")) continue
      const value = prop.get_value(), larger = resized(value, LARGER)
      if (larger === undefined) continue
      before.set(prop.attr, value)
      changed[prop.attr] = larger
    }
    known.set(model, before)
  } else {
    Object.assign(changed, Object.fromEntries(before))
    known.delete(model)
  }
  // Not told to the server: how large type is on a screen is the screen's.
  if (Object.keys(changed).length > 0) model.setv(changed, {sync: false})
}

/** Whether the page around has larger type. */
export const is_type_large = () => document.documentElement.classList.contains("vp-large")

/**
 * Call a function whenever that changes; what is returned ends that.
 *
 * @param {() => void} callback
 */
export const on_type_size = (callback) => watch(is_type_large, callback)
