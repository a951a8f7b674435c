// What the colours and shapes of images mean: one button a group, which says when it is pointed at or pressed, or a scale
// of numbers.
import {create_scale} from "./scale.js"
import {SHAPES} from "./shapes.js"

/**
 * @typedef {object} Group
 * @property {string} name
 * @property {string} colour
 * @property {import("./shapes.js").Marker} marker
 * @property {number} n
 */

/**
 * @typedef {Component<{
 *   caption: string, groups: Group[], scale: Partial<import("./scale.js").Scale>, pointed: number,
 * }>} Groups
 */

/**
 * @param {Group} group
 * @param {number} index
 * @param {Groups} model
 */
function create_button(group, index, model) {
  const button = document.createElement("button")
  button.type = "button"
  button.title = `${group.name}: ${group.n} images; press to brush them, Shift adds, Ctrl+Shift subtracts, Alt intersects`
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  mark.setAttribute("viewBox", "0 0 10 10")
  mark.innerHTML = SHAPES[group.marker]
  mark.style.fill = group.colour
  if (group.marker === "x") mark.style.stroke = group.colour
  button.append(mark, group.name)
  const point = (/** @type {number} */ pointed) => () => { model.pointed = pointed }
  button.addEventListener("pointerenter", point(index))
  button.addEventListener("focus", point(index))
  button.addEventListener("pointerleave", point(-1))
  button.addEventListener("blur", point(-1))
  button.addEventListener("click", ({shiftKey: shift, ctrlKey, metaKey, altKey: alt}) => {
    model.send_msg({pressed: index, shift, ctrl: ctrlKey || metaKey, alt})
  })
  return button
}

/** @param {{model: Groups, el: HTMLElement}} args */
export function render({model, el}) {
  const box = document.createElement("div")
  box.className = "groups"
  box.setAttribute("role", "group")
  const fill = () => {
    box.setAttribute("aria-label", model.caption)
    const {scale} = model
    if (scale.colours !== undefined) {
      box.replaceChildren(create_scale(model.caption, /** @type {import("./scale.js").Scale} */ (scale)))
      return
    }
    const caption = document.createElement("span")
    caption.textContent = model.caption
    box.replaceChildren(caption, ...model.groups.map((group, index) => create_button(group, index, model)))
  }
  model.on(["caption", "groups", "scale"], fill)
  fill()
  el.append(box)
}
