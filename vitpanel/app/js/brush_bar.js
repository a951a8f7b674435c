// Which images are brushed, in a sentence, with buttons to invert the brush and to clear it.

const LEAST_WIDTH = 420
const WAYS = {replace: "next replaces", add: "next adds", intersect: "next intersects", subtract: "next subtracts"}

/** @param {{model: Component<{name_of_brush: string, made_of: string, way: string}>, el: HTMLElement}} args */
export function render({model, el}) {
  const bar = document.createElement("div"), words = document.createElement("span")
  bar.className = "bar"
  bar.setAttribute("role", "group")
  bar.setAttribute("aria-label", "Brushed images")
  words.className = "words"
  words.setAttribute("role", "status")
  const way = document.createElement("select")
  way.setAttribute("aria-label", "What the next brush does")
  way.title = "What the next brush does to this one. With keys: Shift adds, Ctrl+Shift subtracts, Alt intersects."
  for (const [value, textContent] of Object.entries(WAYS)) {
    way.append(Object.assign(document.createElement("option"), {value, textContent}))
  }
  way.addEventListener("change", () => { model.way = way.value })
  bar.append(words, way)
  for (const [label, act] of [["Invert", "invert"], ["Clear", "clear"]]) {
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: label})
    button.setAttribute("aria-label", `${label} the brush of images`)
    button.addEventListener("click", () => model.send_msg({act}))
    bar.append(button)
  }
  const host = /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (el.getRootNode()).host)
  const show = () => {
    bar.hidden = model.name_of_brush === ""
    host.style.flexBasis = bar.hidden ? "0" : `${LEAST_WIDTH}px`
    words.textContent = `Brushed: ${model.name_of_brush} · ${model.made_of}`
    words.title = words.textContent
  }
  el.append(bar)
  const show_way = () => { way.value = model.way }
  model.on(["name_of_brush", "made_of"], show)
  model.on("way", show_way)
  show_way()
  show()
}
