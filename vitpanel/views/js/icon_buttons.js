// Small buttons with pictures: to press, or to switch on and off. One that says what a drag means takes the drags of a
// figure at once, so that the next one means what the button says, however late the server hears of it.

/** @typedef {{name: string, label: string, icon: string, is_switch: boolean, is_wide?: boolean}} Button */
/**
 * @typedef {Component<{
 *   buttons: Button[], pressed: string[], unavailable: string[], toolbar: string, drags: Record<string, string>,
 * }>} Buttons
 */

const picture = (/** @type {string} */ path) =>
  `<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path d="${path}"/></svg>`

/** @param {{model: Buttons, view: any, el: HTMLElement}} args */
export function render({model, view, el}) {
  const box = document.createElement("div")
  box.className = "buttons"
  /** @type {Map<string, HTMLButtonElement>} */
  const made = new Map()
  const show = () => {
    for (const [name, button] of made) {
      if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(model.pressed.includes(name)))
      button.disabled = model.unavailable.includes(name)
    }
  }
  const take_drags = () => {
    if (!model.toolbar) return
    const model_of = (/** @type {string} */ id) => view.model.document.get_model_by_id(id)
    const found = Object.entries(model.drags).find(([name]) => model.pressed.includes(name))
    model_of(model.toolbar).active_drag = model_of(found?.[1] ?? model.drags[""])
  }
  const press = (/** @type {Button} */ {name, is_switch}) => {
    if (is_switch) {
      const is_on = !model.pressed.includes(name)
      // Of those that say what a drag means, one at most is on; where one always is, it stays on.
      const others = name in model.drags ? model.pressed.filter((other) => !(other in model.drags)) : model.pressed
      const rest = others.filter((other) => other !== name)
      model.pressed = is_on || (name in model.drags && !("" in model.drags)) ? [...rest, name] : rest
      take_drags()
    } else {
      model.send_msg({press: name})
    }
  }
  for (const each of model.buttons) {
    const button = document.createElement("button")
    Object.assign(button, {type: "button", title: each.label, innerHTML: picture(each.icon)})
    button.setAttribute("aria-label", each.label)
    if (each.is_switch) button.setAttribute("aria-pressed", "false")
    button.addEventListener("click", () => press(each))
    made.set(each.name, button)
    box.append(button)
  }
  el.append(box)
  model.on(["pressed", "unavailable"], show)
  show()
}
