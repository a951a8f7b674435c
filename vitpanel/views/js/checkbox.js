// A box to tick with its label, which a press on the label ticks as well.

/** @param {{model: Component<{label: string, value: boolean, is_off: boolean}>, el: HTMLElement}} args */
export function render({model, el}) {
  const label = document.createElement("label"), input = document.createElement("input")
  input.type = "checkbox"
  const show = () => Object.assign(input, {checked: model.value, disabled: model.is_off})
  input.addEventListener("change", () => { model.value = input.checked })
  label.append(input, model.label)
  el.append(label)
  model.on(["value", "is_off"], show)
  show()
}
