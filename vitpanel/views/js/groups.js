// What the colours and shapes of images mean: one button a group, which says when it is pointed at or pressed, or a scale
// of numbers of which a part can be marked.
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
 *   caption: string, groups: Group[], scale: Partial<import("./scale.js").Scale>, pointed: number, offer: string,
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
  const create_offer = () => {
    const offer = document.createElement("button")
    Object.assign(offer, {type: "button", className: "offer", textContent: model.offer})
    offer.addEventListener("click", () => model.send_msg({offer: true}))
    return offer
  }
  const fill = () => {
    box.setAttribute("aria-label", model.caption)
    const offers = model.offer === "" ? [] : [create_offer()]
    const {scale} = model
    if (scale.colours !== undefined) {
      const made = create_scale(model.caption, /** @type {import("./scale.js").Scale} */ (scale), (range, held) => {
        model.send_msg({range, ...held})
      })
      made.firstElementChild?.append(...offers)
      box.replaceChildren(made)
      return
    }
    const caption = document.createElement("span")
    caption.textContent = model.caption
    box.replaceChildren(...offers, caption, ...model.groups.map((group, index) => create_button(group, index, model)))
  }
  model.on(["caption", "groups", "scale", "offer"], fill)
  fill()
  el.append(box)
}
