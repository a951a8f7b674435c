// A box in which an image is searched for, with a list of those that match. Enter and a press on an entry or on the cross
// choose; an empty box alone means nothing. Below the entries, all images with the text in their names can be brushed. What
// the server says is never written over what a person types.

const PAUSE = 200, SIZE = 220

/**
 * @typedef {Component<{text: string, is_wrong: boolean, label: string, placeholder: string, clear_label: string}>} Search
 */

/** @param {Search} model */
function create_parts(model) {
  const box = document.createElement("div"), input = document.createElement("input")
  const clear = document.createElement("button"), list = document.createElement("ul")
  box.className = "search"
  Object.assign(input, {type: "text", placeholder: model.placeholder, autocomplete: "off", spellcheck: false})
  const roles = {role: "combobox", "aria-label": model.label, "aria-autocomplete": "list", "aria-expanded": "false"}
  for (const [name, value] of Object.entries(roles)) input.setAttribute(name, value)
  Object.assign(clear, {type: "button", textContent: "×", title: model.clear_label})
  clear.setAttribute("aria-label", model.clear_label)
  Object.assign(list, {id: "options", popover: "manual"})
  list.setAttribute("role", "listbox")
  input.setAttribute("aria-controls", "options")
  box.append(input, clear, list)
  return {box, input, clear, list}
}

/** @param {{model: Search, el: HTMLElement}} args */
export function render({model, el}) {
  const {box, input, clear, list} = create_parts(model)
  let is_typed = false, n_asked = 0, active = -1, timer = 0, offered = ""

  const show_text = () => {
    if (is_typed && input.matches(":focus")) return
    is_typed = false
    input.value = model.text
    clear.hidden = input.value === ""
  }
  const show_error = () => input.setAttribute("aria-invalid", String(model.is_wrong))
  const close = () => {
    n_asked++  // an answer that still comes is late
    clearTimeout(timer)
    list.hidePopover()
    input.setAttribute("aria-expanded", "false")
    input.removeAttribute("aria-activedescendant")
    active = -1
  }
  const choose = (/** @type {string} */ text) => {
    close()
    is_typed = false
    model.send_msg({choose: text})
  }
  const point = (/** @type {number} */ index) => {
    active = index
    for (const [i, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(i === index))
    const option = list.children[index]
    if (option === undefined) return
    input.setAttribute("aria-activedescendant", option.id)
    option.scrollIntoView({block: "nearest"})
  }
  const brush = (/** @type {MouseEvent | KeyboardEvent} */ {shiftKey: shift, ctrlKey, metaKey, altKey: alt}) => {
    close()
    model.send_msg({brush: offered, shift, ctrl: ctrlKey || metaKey, alt})
  }
  const create_option = (/** @type {string} */ text, /** @type {number} */ i) => {
    const option = document.createElement("li")
    Object.assign(option, {id: `option-${i}`, textContent: text})
    option.setAttribute("role", "option")
    option.addEventListener("pointerdown", (event) => event.preventDefault())  // the box keeps the focus
    return option
  }
  const offer = (/** @type {string[]} */ texts, /** @type {number} */ n_named, /** @type {string} */ query) => {
    offered = query
    const options = texts.map((text, i) => {
      const option = create_option(text, i)
      option.addEventListener("click", () => choose(text))
      return option
    })
    if (n_named > 0) {
      const all = create_option(`Brush all ${n_named.toLocaleString("en")} with “${query}” in their names`, texts.length)
      all.className = "all"
      all.title = "Shift adds to what is brushed, Ctrl+Shift subtracts, Alt intersects"
      all.addEventListener("click", brush)
      options.push(all)
    }
    list.replaceChildren(...options)
    active = -1
    if (options.length === 0) return list.hidePopover()
    const {left, bottom, width} = box.getBoundingClientRect()
    Object.assign(list.style, {left: `${left}px`, top: `${bottom + 2}px`, minWidth: `${Math.max(width, SIZE)}px`})
    list.showPopover()
    input.setAttribute("aria-expanded", "true")
  }
  const ask = () => {
    clearTimeout(timer)
    const id = ++n_asked, query = input.value
    timer = setTimeout(() => model.send_msg({search: query, id}), PAUSE)
  }

  input.addEventListener("input", () => {
    is_typed = true
    clear.hidden = input.value === ""
    if (input.value.trim() === "") close()
    else ask()
  })
  input.addEventListener("keydown", (event) => {
    const is_open = list.matches(":popover-open"), n = list.children.length
    const option = is_open && active >= 0 ? list.children[active] : null
    if (event.key === "Enter" && option?.className === "all") brush(event)
    else if (event.key === "Enter") choose(option?.textContent ?? input.value)
    else if (is_open && event.key === "ArrowDown") point((active + 1) % n)
    else if (is_open && event.key === "ArrowUp") point((active <= 0 ? n : active) - 1)
    else if (is_open && event.key === "Escape") close()
    else if (is_typed && event.key === "Escape") {
      is_typed = false
      show_text()
    } else return
    event.preventDefault()
  })
  input.addEventListener("blur", () => {
    close()
    if (!model.is_wrong) show_text()
  })
  clear.addEventListener("click", () => {
    is_typed = false
    input.value = ""
    choose("")
  })
  model.on("text", show_text)
  model.on("is_wrong", show_error)
  model.on("msg:custom", ({id, options, n_named, query, is_taken}) => {
    if (options !== undefined && id === n_asked) offer(options, n_named, query)
    if (is_taken === false) is_typed = true  // what was refused stays, to be mended
    if (is_taken === true) show_text()  // also where it is the same as before
  })
  show_text()
  show_error()
  el.append(box)
}
