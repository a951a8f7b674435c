// What a person wants once: a tour of the page, and larger type; and for who is here for the first time, an offer of the tour.
import {keep, kept} from "./kept.js"
import {set_larger_type} from "./larger_type.js"
import {create} from "../../views/js/create.js"

/** @typedef {Component<{type_size: string, has_room: boolean}>} Menu */
const MORE = `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
  <path d="M12 4a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm0 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm0 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4z"/></svg>`

/** @param {() => void} take @param {() => void} refuse */
function create_offer(take, refuse) {
  const tour = create("button", {type: "button", className: "take", textContent: "New here? Tour", title: "Five steps, one minute"})
  const no = create("button", {type: "button", className: "no", textContent: "×", title: "No, thanks"})
  no.setAttribute("aria-label", "Do not offer the tour again")
  tour.addEventListener("click", take)
  no.addEventListener("click", refuse)
  return create("div", {className: "offer"}, tour, no)
}

/** @param {{model: Menu, el: HTMLElement}} args */
export function render({model, el}) {
  const {classList} = document.documentElement
  const opener = create("button", {type: "button", className: "more", title: "Menu", innerHTML: MORE})
  const tour = create("button", {type: "button", textContent: "Take the tour (five steps, one minute)"})
  const box = create("input", {type: "checkbox", checked: classList.contains("vp-large")})
  const menu = create("div", {className: "menu", popover: "auto"}, tour, create("label", {}, box, "Larger type, for a projector"))
  /** @type {((el: HTMLElement, leave: () => void) => void) | undefined} */
  let start
  let is_on = false
  // Also where a browser keeps nothing.
  let is_answered = kept("tour") !== null
  const show = () => { offer.hidden = is_answered || !model.has_room }
  const never_again = () => {
    keep("tour", "seen")
    is_answered = true
    show()
  }
  const begin = () => {
    if (is_on || start === undefined) return
    is_on = true
    start(el, () => {
      is_on = false
      opener.focus()
    })
  }
  const ask = () => {
    never_again()
    menu.hidePopover()
    if (start === undefined) model.send_msg({tour: true})
    else begin()
  }
  const offer = create_offer(ask, () => {
    never_again()
    opener.focus()
  })
  menu.setAttribute("role", "dialog")
  menu.setAttribute("aria-label", "Menu")
  opener.setAttribute("aria-label", "Menu")
  opener.setAttribute("aria-expanded", "false")
  opener.addEventListener("click", () => menu.togglePopover())
  menu.addEventListener("toggle", (/** @type {ToggleEvent} */ event) => {
    opener.setAttribute("aria-expanded", String(event.newState === "open"))
  })
  tour.addEventListener("click", ask)
  box.addEventListener("change", () => {
    model.type_size = box.checked ? "large" : "normal"
    keep("type", model.type_size)
    set_larger_type(box.checked)
  })
  model.on("msg:custom", async ({script}) => {
    const address = URL.createObjectURL(new Blob([script], {type: "text/javascript"}))
    start = (await import(address)).start
    URL.revokeObjectURL(address)
    begin()
  })
  model.on("has_room", show)
  el.append(offer, opener, menu)
  show()
  set_larger_type(box.checked)
}
