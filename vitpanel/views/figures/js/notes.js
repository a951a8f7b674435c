// What scripts note of a model, for as long as there is the model. Each script of a figure is one function, with all
// that it imports inside: the variables of a module are made anew at each call. So what a script leaves for another, or
// for its own next call, is in a map that the page keeps.

/**
 * @template {object} Notes
 * @param {string} subject what the notes are about: models of different subjects have different ones
 * @param {() => Notes} create what is noted of a model at first
 * @returns {(model: object) => Notes} gives the notes of a model, to read and to write
 */
export function notes_about(subject, create) {
  const page = /** @type {Record<symbol, WeakMap<object, Notes> | undefined>} */ (/** @type {unknown} */ (globalThis))
  const key = Symbol.for(`vitpanel.${subject}`)
  const known = page[key] ?? new WeakMap()
  page[key] = known
  return (model) => {
    const notes = known.get(model) ?? create()
    known.set(model, notes)
    return notes
  }
}
