// What the colours and shapes of images mean: one button a group, which says when it is pointed at or pressed.

const SHAPES = {
  circle: '<circle cx="5" cy="5" r="4"/>',
  square: '<rect x="1.5" y="1.5" width="7" height="7"/>',
  triangle: '<path d="M5 1 9 9H1Z"/>',
  diamond: '<path d="M5 0 8.5 5 5 10 1.5 5Z"/>',
  inverted_triangle: '<path d="M5 9 1 1h8Z"/>',
  hex: '<path d="M3 1h4l2 4-2 4H3L1 5Z"/>',
  x: '<path d="M2 2 8 8M8 2 2 8" stroke-width="2"/>',
}

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
