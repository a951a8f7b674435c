export function render({model}) {
  const atlas = document.createElement("div")
  atlas.className = "atlas"
  atlas.setAttribute("role", "listbox")
  atlas.setAttribute("aria-label", "All heads of the image")
  const buttons = () => [...atlas.children]

  const show_choice = () => {
    for (const button of buttons()) {
      const is_chosen = Number(button.dataset.place) === model.chosen
      button.setAttribute("aria-selected", is_chosen)
      button.tabIndex = is_chosen ? 0 : -1
    }
    // Tab reaches the chosen head, else the first one.
    if (atlas.children.length && !buttons().some((button) => button.tabIndex === 0)) atlas.children[0].tabIndex = 0
  }
  const show_sheet = () => {
    const n_layers = model.labels.length / model.n_heads
    for (const button of buttons()) {
      const place = Number(button.dataset.place), picture = button.firstChild
      const x = place % model.n_heads, y = Math.floor(place / model.n_heads)
      picture.style.backgroundImage = `url(${model.sheet})`
      picture.style.backgroundSize = `${100 * model.n_heads}% ${100 * n_layers}%`
      const share = (i, n) => (n > 1 ? (100 * i) / (n - 1) : 0)
      picture.style.backgroundPosition = `${share(x, model.n_heads)}% ${share(y, n_layers)}%`
    }
  }
  const show_labels = () => {
    for (const button of buttons()) {
      const [short, long] = model.labels[Number(button.dataset.place)] ?? ["", ""]
      button.lastChild.textContent = short
      button.title = long
      button.setAttribute("aria-label", long)
    }
  }
  const show_order = () => {
    const old = new Map(buttons().map((button) => [Number(button.dataset.place), button]))
    atlas.replaceChildren(...model.order.map((place) => old.get(place) ?? create(place)))
    show_labels()
    show_sheet()
    show_choice()
  }
  const create = (place) => {
    const button = document.createElement("button")
    button.dataset.place = place
    button.setAttribute("role", "option")
    button.append(document.createElement("i"), document.createElement("span"))
    button.addEventListener("click", () => { model.chosen = place })
    return button
  }
  const columns = () => {
    const top = atlas.children[0]?.offsetTop
    return Math.max(buttons().filter((button) => button.offsetTop === top).length, 1)
  }
  atlas.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns()}[event.key]
    const at = buttons().indexOf(event.target)
    if (step === undefined || at < 0) return
    event.preventDefault()
    const next = atlas.children[at + step]
    if (next === undefined) return
    event.target.tabIndex = -1
    next.tabIndex = 0
    next.focus()
  })

  model.on("chosen", show_choice)
  model.on("sheet", show_sheet)
  model.on("labels", show_labels)
  model.on("order", show_order)
  show_order()
  return atlas
}
