// A box for a whole number that is typed, or stepped by its buttons and by the arrow keys.

/**
 * @typedef {object} Parameters
 * @property {string} label
 * @property {boolean} has_words
 * @property {number | null} value
 * @property {number} start
 * @property {number} step
 */

/** @param {{model: Component<Parameters>, el: HTMLElement}} args */
export function render({model, el}) {
  const label = document.createElement("label"), words = document.createElement("span")
  const input = document.createElement("input")
  input.type = "number"
  words.textContent = model.label
  if (model.has_words) label.append(words)
  else input.setAttribute("aria-label", model.label)
  label.append(input)
  el.append(label)
  // Without a least number of its own the box steps from 0: 50, 100, 150; what lies between can be typed as well.
  const show = () => Object.assign(input, {step: String(model.step), value: String(model.value ?? "")})
  input.addEventListener("change", () => {
    const typed = input.valueAsNumber
    if (Number.isNaN(typed)) return show()
    const value = Math.max(model.start, Math.round(typed))
    if (value === model.value) show()
    else model.value = value
  })
  model.on(["value", "step"], show)
  show()
}
