// Which images are brushed, in a sentence, with buttons to invert the brush and to clear it.

/** @param {{model: Component<{name_of_brush: string, made_of: string}>, el: HTMLElement}} args */
export function render({model, el}) {
  const bar = document.createElement("div"), words = document.createElement("span")
  bar.className = "bar"
  bar.setAttribute("role", "group")
  bar.setAttribute("aria-label", "Brushed images")
  words.className = "words"
  words.setAttribute("role", "status")
  bar.append(words)
  for (const [label, act] of [["Invert", "invert"], ["Clear", "clear"]]) {
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: label})
    button.setAttribute("aria-label", `${label} the brush of images`)
    button.addEventListener("click", () => model.send_msg({act}))
    bar.append(button)
  }
  const show = () => {
    bar.hidden = model.name_of_brush === ""
    words.textContent = `Brushed: ${model.name_of_brush} · ${model.made_of}`
    words.title = words.textContent
  }
  el.append(bar)
  model.on(["name_of_brush", "made_of"], show)
  show()
}
