import {is_heard} from "./heard.js"

/**
 * Say above a figure in which somebody has clicked that nobody hears of it, where nobody does.
 *
 * @param {{words: string}} args
 * @param {{origin: any}} cb_obj event of a click
 */
export default function say_unheard({words}, cb_obj) {
  const page = Bokeh.index.find_one(cb_obj.origin)?.root.el
  if (!page || is_heard() || page.previousElementSibling?.className === "vitpanel-unheard") return
  const note = document.createElement("p")
  Object.assign(note, {className: "vitpanel-unheard", textContent: words})
  note.style.fontWeight = "bold"
  page.before(note)
}
