import {is_heard} from "./heard.js"

/**
 * Says above a figure in which somebody has clicked that nobody hears of it, where nobody does.
 * @param {{words: string}} args
 * @param {{origin: any}} event
 */
export default ({words}, {origin}) => {
  const {Bokeh} = /** @type {any} */ (window), page = Bokeh.index.find_one(origin)?.root.el
  if (!page || is_heard() || page.previousElementSibling?.className === "vitpanel-unheard") return
  const note = document.createElement("p")
  Object.assign(note, {className: "vitpanel-unheard", textContent: words})
  note.style.fontWeight = "bold"
  page.before(note)
}
