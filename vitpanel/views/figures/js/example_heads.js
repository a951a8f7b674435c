// Buttons of heads with their images. A click tells which head its button showed, so that it means that one even when
// others are on their way.

/**
 * @typedef {object} Example
 * @property {number[]} head image, layer, head
 * @property {string} name
 * @property {string} words
 * @property {string | null} picture its address
 */

/** @param {{model: Component<{heads: Example[]}>}} args */
export function render({model}) {
  const strip = document.createElement("div")
  strip.className = "examples"
  strip.setAttribute("role", "group")
  strip.setAttribute("aria-label", "Examples")
  const create = (/** @type {Example} */ {head, name, words, picture}) => {
    const button = document.createElement("button")
    button.setAttribute("aria-label", `${name}: ${words}`)
    button.title = words
    const shown = document.createElement(picture ? "img" : "span")
    if (picture) Object.assign(shown, {src: picture, alt: ""})
    const label = document.createElement("span")
    label.textContent = name
    button.append(shown, label)
    button.addEventListener("click", () => model.send_msg({choose: head}))
    return button
  }
  const show = () => strip.replaceChildren(...model.heads.map(create))
  model.on("heads", show)
  show()
  return strip
}
