// A form that brushes heads: those of some layers, or those whose number is at least or at most so large.

/** @typedef {[key: string, words: string, range: string]} Measure and what its numbers range over, in words */
/** @typedef {{shift: boolean, ctrl: boolean, alt: boolean}} Held keys that are held */

const KEYS = "Shift adds to what is brushed, Ctrl+Shift subtracts, Alt intersects"

/** @param {string} value @param {string} label */
function number_box(value, label) {
  const box = Object.assign(document.createElement("input"), {type: "number", value})
  box.setAttribute("aria-label", label)
  return box
}

/** @param {string[][]} options each a value and words @param {string} label */
function menu(options, label) {
  const made = document.createElement("select")
  made.setAttribute("aria-label", label)
  fill(made, options)
  return made
}

/** @param {HTMLSelectElement} made @param {string[][]} options */
function fill(made, options) {
  made.replaceChildren(...options.map(([value, textContent]) => {
    return Object.assign(document.createElement("option"), {value, textContent})
  }))
}

/** @param {string} label @param {"button" | "submit"} type */
function brush_button(label, type) {
  const made = Object.assign(document.createElement("button"), {type, textContent: "Brush", title: KEYS})
  made.setAttribute("aria-label", label)
  return made
}

/** @param {MouseEvent} event @returns {Held} */
function held({shiftKey: shift, ctrlKey, metaKey, altKey: alt}) {
  return {shift, ctrl: ctrlKey || metaKey, alt}
}

/**
 * @param {number} n_layers
 * @param {(message: Record<string, unknown>) => void} send
 */
export function create_filter(n_layers, send) {
  const form = document.createElement("form"), range = document.createElement("div")
  const layers = document.createElement("div"), numbers = document.createElement("div")
  const first = number_box("0", "first layer"), last = number_box(String(n_layers - 1), "last layer")
  const by_layer = brush_button("Brush the heads of these layers", "button")
  for (const box of [first, last]) Object.assign(box, {min: "0", max: String(n_layers - 1)})
  const measure = menu([], "number of the heads"), end = menu([["low", "at least"], ["high", "at most"]], "which end")
  const value = number_box("", "limit"), by_number = brush_button("Brush the heads by this number", "submit")
  value.step = "any"
  Object.assign(form, {className: "filter", noValidate: true})
  range.className = "range"
  layers.append("layers", first, "to", last, by_layer)
  numbers.append(measure, end, value, by_number)
  form.append(layers, numbers, range)

  /** @type {Measure[]} */
  let known = []
  const say = () => {
    range.textContent = known.find(([key]) => key === measure.value)?.[2] ?? "counting …"
  }
  measure.addEventListener("change", say)
  by_layer.addEventListener("click", (event) => {
    send({layers: [first.valueAsNumber, last.valueAsNumber], ...held(event)})
  })
  form.addEventListener("submit", (event) => event.preventDefault())  // Enter has pressed the button
  by_number.addEventListener("click", (event) => {
    send({measure: measure.value, end: end.value, value: value.valueAsNumber, ...held(event)})
  })
  return {
    form,
    focus: () => first.focus(),
    offer: (/** @type {Measure[]} */ measures) => {
      known = measures
      const chosen = measure.value
      fill(measure, measures)
      if (measures.some(([key]) => key === chosen)) measure.value = chosen
      say()
    },
  }
}
