// Images at some places in an order, from the least to the largest: small pictures that choose their image.

/**
 * @typedef {object} Example
 * @property {number} image
 * @property {string} share
 * @property {string} number
 * @property {string} label what is read aloud, and said where the pointer rests
 * @property {string} picture its source; empty where there is none
 */

/** @typedef {Component<{caption: string, examples: Example[], chosen: number, is_crisp: boolean}>} Examples */

/** @param {Example} example @param {Examples} model */
function create_button({image, share, number, label, picture}, model) {
  const button = document.createElement("button"), shown = document.createElement("img")
  const words = document.createElement("span"), value = document.createElement("b")
  Object.assign(button, {type: "button", title: label})
  button.setAttribute("aria-label", label)
  button.dataset.image = String(image)
  Object.assign(shown, {src: picture, alt: "", className: model.is_crisp ? "crisp" : ""})
  shown.hidden = picture === ""
  words.textContent = share
  value.textContent = number
  button.append(shown, words, value)
  button.addEventListener("click", () => model.send_msg({image}))
  return button
}

/** @param {{model: Examples, el: HTMLElement}} args */
export function render({model, el}) {
  const box = document.createElement("div")
  box.className = "examples"
  box.setAttribute("role", "group")
  const mark = () => {
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll("button"))) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.image) === model.chosen))
    }
  }
  const fill = () => {
    const n = [...box.children].indexOf(/** @type {Element} */ (box.querySelector(":focus")))
    box.setAttribute("aria-label", model.caption)
    box.replaceChildren(...model.examples.map((example) => create_button(example, model)))
    mark()
    if (n >= 0) /** @type {HTMLElement | undefined} */ (box.children[n])?.focus()
  }
  model.on(["caption", "examples"], fill)
  model.on("chosen", mark)
  el.append(box)
  fill()
}
