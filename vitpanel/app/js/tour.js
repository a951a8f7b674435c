// A tour in five steps: each frames a part of the page, which stays as it is and can be used meanwhile, and says what to do
// there. It is sent when it is asked for.
import {found} from "./found.js"
import {create} from "../../views/js/create.js"

const GAP = 10, EDGE = 6
const STEPS = [
  {
    title: "A: Image Overview", slugs: ["image-overview"],
    text: "Each point is an image, and images for which the same heads matter lie together. Press a point to choose its " +
      "image: all other views follow.",
  },
  {
    title: "B: Head Importance", slugs: ["head-importance"],
    text: "The curve shows what each head is worth to the prediction, and the list ranks the heads. Drag the pink line or " +
      "press a row to choose a head; the bars then say which part of its attention matters.",
  },
  {
    title: "C: Attention Strength", slugs: ["attention-strength"],
    text: "Here you see how far a head looks from patch to patch, and whether it does so on all images. Press a point to " +
      "choose that head.",
  },
  {
    title: "D: Pattern Overview and Attention Detail", slugs: ["pattern-overview", "attention-detail"],
    text: "On the map, heads that attend alike lie together; beside it is the attention of the chosen head itself. Point at " +
      "a patch of the image to see where it looks, and who looks at it.",
  },
  {
    title: "Brush in one view, see it in all", slugs: ["image-overview", "head-importance"],
    text: "Press a class in the legend of Image Overview, or draw a lasso there: the curve and the list now compare these " +
      "images with all others. Heads and tokens are brushed in the same way; Esc clears every brush.",
  },
]

/** Where a view stands. @param {string} slug */
const place_of = (slug) => found(document, `.vp-at-${slug}`)

/** A view that fills the page, so that no other is in sight. @param {string} slug @returns {HTMLElement | undefined} */
function filling_view(slug) {
  const place = place_of(slug), view = place === null ? null : found(place.shadowRoot ?? place, ".vp-view")
  return view !== null && getComputedStyle(view).position === "fixed" ? view : undefined
}

/** The box around some views; none where they are not in sight. @param {string[]} slugs */
function box_around(slugs) {
  const is_filled = STEPS.some((step) => step.slugs.some(filling_view))
  const seen = slugs.map((slug) => is_filled ? filling_view(slug) : place_of(slug))
  const boxes = seen.map((view) => view?.getBoundingClientRect()).filter((box) => box !== undefined)
  if (boxes.length === 0) return
  const left = Math.max(EDGE, Math.min(...boxes.map((box) => box.left)))
  const top = Math.max(EDGE, Math.min(...boxes.map((box) => box.top)))
  const right = Math.min(window.innerWidth - EDGE, Math.max(...boxes.map((box) => box.right)))
  const bottom = Math.min(window.innerHeight - EDGE, Math.max(...boxes.map((box) => box.bottom)))
  return {left, top, right, bottom}
}

/**
 * Where words of a size cover nothing of a box: right of it, left of it, below or above; else in its lower right corner.
 *
 * @param {{left: number, top: number, right: number, bottom: number}} box
 * @param {{width: number, height: number}} size
 */
export function place_beside({left, top, right, bottom}, {width, height}, window_size = [window.innerWidth, window.innerHeight]) {
  const [all_width, all_height] = window_size
  const last = {x: all_width - width - EDGE, y: all_height - height - EDGE}
  const along = {x: Math.max(EDGE, Math.min(left, last.x)), y: Math.max(EDGE, Math.min(top, last.y))}
  if (right + GAP <= last.x) return {x: right + GAP, y: along.y}
  if (left - GAP - width >= EDGE) return {x: left - GAP - width, y: along.y}
  if (bottom + GAP <= last.y) return {x: along.x, y: bottom + GAP}
  if (top - GAP - height >= EDGE) return {x: along.x, y: top - GAP - height}
  return last
}

function create_parts() {
  const title = create("div", {className: "title", id: "tour-title"}), text = create("div", {id: "tour-text"})
  const count = create("span", {className: "count"})
  const skip = create("button", {type: "button", textContent: "Skip"})
  const back = create("button", {type: "button", textContent: "Back"})
  const next = create("button", {type: "button", className: "next", textContent: "Next"})
  const words = create("div", {className: "step", tabIndex: -1}, title, text, create("div", {className: "row"}, count, skip, back, next))
  const frame = create("div", {className: "frame"})
  words.setAttribute("role", "dialog")
  words.setAttribute("aria-labelledby", title.id)
  words.setAttribute("aria-describedby", text.id)
  return {frame, words, title, text, count, skip, back, next}
}

/**
 * Begin.
 *
 * @param {HTMLElement} el where its parts are put
 * @param {() => void} leave called at the end
 */
export function start(el, leave) {
  const {frame, words, title, text, count, skip, back, next} = create_parts()
  let at = 0
  const place = () => {
    const box = box_around(STEPS[at].slugs)
    frame.hidden = box === undefined
    const {left, top, right, bottom} = box ?? {left: 0, top: 0, right: window.innerWidth, bottom: window.innerHeight}
    const sides = {left, top, width: right - left, height: bottom - top}
    for (const [name, value] of Object.entries(sides)) frame.style.setProperty(name, `${value}px`)
    const {x, y} = place_beside({left, top, right, bottom}, words.getBoundingClientRect())
    Object.assign(words.style, {left: `${x}px`, top: `${y}px`})
  }
  const show = (/** @type {number} */ step) => {
    at = step
    title.textContent = STEPS[at].title
    text.textContent = STEPS[at].text
    count.textContent = `${at + 1} of ${STEPS.length}`
    back.disabled = at === 0
    next.textContent = at === STEPS.length - 1 ? "Done" : "Next"
    window.dispatchEvent(new Event("vp-show-all"))  // what fills the page or lies over it makes way
    // The first one last: where there is no room for all, it is in sight.
    for (const slug of [...STEPS[at].slugs].reverse()) place_of(slug)?.scrollIntoView({block: "nearest", inline: "nearest"})
    place()
    words.focus()
  }
  const end = () => {
    window.removeEventListener("resize", place)
    window.removeEventListener("vp-view-sized", place)
    window.removeEventListener("scroll", place, true)
    window.removeEventListener("keydown", on_key, true)
    frame.remove()
    words.remove()
    leave()
  }
  // Before all others: the key ends the tour, and clears no brush.
  const on_key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return
    event.preventDefault()
    end()
  }
  skip.addEventListener("click", end)
  back.addEventListener("click", () => show(at - 1))
  next.addEventListener("click", () => at === STEPS.length - 1 ? end() : show(at + 1))
  window.addEventListener("resize", place)
  window.addEventListener("vp-view-sized", place)
  window.addEventListener("scroll", place, true)
  window.addEventListener("keydown", on_key, true)
  el.append(frame, words)
  show(0)
}
