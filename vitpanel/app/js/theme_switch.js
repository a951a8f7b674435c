// Light or dark, by a CSS class of the whole page that the page's own script sets first.
const PICTURE = `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
  <path d="M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2v14a7 7 0 0 1 0-14z"/></svg>`

/** @param {{model: Component<{dark: boolean}>, el: HTMLElement}} args */
export function render({model, el}) {
  const button = Object.assign(document.createElement("button"), {type: "button", title: "Toggle theme"})
  button.innerHTML = PICTURE
  button.setAttribute("aria-label", button.title)
  const {classList} = document.documentElement
  button.addEventListener("click", () => { model.dark = classList.toggle("vp-dark") })
  el.append(button)
  model.dark = classList.contains("vp-dark")
}
