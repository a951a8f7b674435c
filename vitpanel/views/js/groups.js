// What the colours and shapes of images mean: one button a group, which says when it is pointed at or pressed.
import {SHAPES} from "./shapes.js"

function create_button(group, index, model) {
  const button = document.createElement("button")
  button.type = "button"
  button.title = `${group.name}: ${group.n} images; press to brush them`
  button.innerHTML = `<svg viewBox="0 0 10 10">${SHAPES[group.marker]}</svg>`
  button.firstChild.style.fill = group.colour
  if (group.marker === "x") button.firstChild.style.stroke = group.colour
  button.append(group.name)
  const point = (pointed) => () => { model.pointed = pointed }
  button.addEventListener("pointerenter", point(index))
  button.addEventListener("focus", point(index))
  button.addEventListener("pointerleave", point(-1))
  button.addEventListener("blur", point(-1))
  button.addEventListener("click", () => model.send_msg({pressed: index}))
  return button
}

export function render({model, el}) {
  const box = document.createElement("div")
  box.className = "groups"
  box.setAttribute("role", "group")
  const fill = () => {
    const caption = document.createElement("span")
    caption.textContent = model.caption
    box.setAttribute("aria-label", model.caption)
    box.replaceChildren(caption, ...model.groups.map((group, index) => create_button(group, index, model)))
  }
  model.on(["caption", "groups"], fill)
  fill()
  el.append(box)
}
