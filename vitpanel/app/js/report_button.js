// Asks for a report, and saves it when it has come.
const PAGE = `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
  <path d="M6 2h8l6 6v14H6a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zm7 1.5V9h5.5zM8 12v2h8v-2zm0 4v2h8v-2z"/></svg>`
const LABEL = "Save a report of what is looked at"
const BUSY = "The report is being made; it is saved when it is ready."

/** @param {{model: Component<{is_busy: boolean}>, el: HTMLElement}} args */
export function render({model, el}) {
  const button = Object.assign(document.createElement("button"), {type: "button", title: LABEL, innerHTML: PAGE})
  const words = Object.assign(document.createElement("div"), {className: "words"})
  button.setAttribute("aria-label", LABEL)
  words.setAttribute("role", "status")
  el.append(button, words)
  const say = (/** @type {boolean} */ is_busy) => {
    button.setAttribute("aria-disabled", String(is_busy))  // it keeps the focus
    words.textContent = is_busy ? BUSY : ""
  }
  const show = () => say(model.is_busy)
  button.addEventListener("click", () => {
    if (model.is_busy) return
    model.send_msg({make: true})
    say(true)  // before the server has time to
  })
  model.on("is_busy", show)
  model.on("msg:custom", (message) => {
    if (message.words !== undefined) {
      words.textContent = message.words
      setTimeout(show, 10000)
      return
    }
    const link = document.createElement("a")
    link.href = URL.createObjectURL(new Blob([message.text], {type: "text/html"}))
    link.download = message.file
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10000)
  })
  show()
}
