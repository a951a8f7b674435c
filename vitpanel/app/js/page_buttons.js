// Light or dark, by a CSS class of the whole page that the page's own script sets first; and the page on one sheet.
const icon = (/** @type {string} */ path) =>
  `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="${path}"/></svg>`
const PRINTER = icon("M7 3h10v4H7zM4 8h16a2 2 0 0 1 2 2v7h-4v-3H6v3H2v-7a2 2 0 0 1 2-2zM8 15.5h8V21H8z")
const HALF_MOON = icon("M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2v14a7 7 0 0 1 0-14z")

/**
 * @param {string} label
 * @param {string} picture
 * @param {() => void} press
 */
function create_button(label, picture, press) {
  const button = Object.assign(document.createElement("button"), {type: "button", title: label, innerHTML: picture})
  button.setAttribute("aria-label", label)
  button.addEventListener("click", press)
  return button
}

/** A sheet as large as the window, so that nothing moves: a figure that changes its size would be painted anew. */
function print() {
  const sheet = document.createElement("style")
  sheet.textContent = `@page { size: ${window.innerWidth}px ${window.innerHeight}px; margin: 0; }
    html { print-color-adjust: exact; }`
  document.head.append(sheet)
  window.addEventListener("afterprint", () => sheet.remove(), {once: true})
  window.print()
}

/** @param {{model: Component<{dark: boolean}>, el: HTMLElement}} args */
export function render({model, el}) {
  const {classList} = document.documentElement, box = document.createElement("div")
  box.append(
    create_button("Print or save as PDF", PRINTER, print),
    create_button("Toggle theme", HALF_MOON, () => { model.dark = classList.toggle("vp-dark") }),
  )
  el.append(box)
  model.dark = classList.contains("vp-dark")
}
