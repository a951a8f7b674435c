// The address of the page says what is chosen. Each choice is a step of the browser's history, so that Back undoes it.

/** @param {{model: Component<{query: string}>}} args */
export function render({model}) {
  const search = () => window.location.search
  const show = () => {
    if (search() === model.query) return
    window.history.pushState({}, "", `${window.location.pathname}${model.query}${window.location.hash}`)
  }
  const tell = () => model.send_msg(search())
  model.on("query", show)
  window.addEventListener("popstate", tell)
  model.on("remove", () => window.removeEventListener("popstate", tell))
}
