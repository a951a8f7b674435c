// Asks the server what lies under a pointer that rests, and shows its answer beside the pointer: in an element of the
// figure, since a change of a Bokeh model would lay out the whole page again.
export default function point_at_map({fig, own, pointer, answer, reach, rest_ms, style}, cb_obj) {
  if (pointer._card === undefined) {
    pointer._card = document.createElement("div")
    pointer._card.style = style
    pointer._card.hidden = true
    pointer._card.setAttribute("role", "status")
    Bokeh.index.find_one_by_id(fig.id).shadow_el.append(pointer._card)
  }
  const card = pointer._card
  if (cb_obj.event_name === undefined) {
    // An answer; the pointer may have gone on meanwhile.
    const {x, y, html} = answer.data
    if (x[0] !== pointer.data.x[0] || y[0] !== pointer.data.y[0] || pointer._at === null) return
    card.innerHTML = html[0]
    card.hidden = false
    const {sx, sy} = pointer._at, {offsetWidth: width, offsetHeight: height} = card
    card.style.left = `${Math.max(0, Math.min(sx - width / 2, fig.outer_width - width))}px`
    card.style.top = `${sy > fig.outer_height / 2 ? sy - height - 14 : sy + 14}px`
    return
  }
  clearTimeout(pointer._rest)
  card.hidden = true
  pointer._at = null
  if (cb_obj.event_name !== "mousemove") return
  // The chosen image's heads have a tooltip of their own.
  const {x_range, y_range, inner_width, inner_height} = fig
  const right = inner_width / (x_range.end - x_range.start), up = inner_height / (y_range.end - y_range.start)
  const is_own = Array.from(own.data.x).some(
    (x, i) => Math.hypot((x - cb_obj.x) * right, (own.data.y[i] - cb_obj.y) * up) <= reach,
  )
  if (is_own) return
  const {x, y, sx, sy} = cb_obj
  pointer._rest = setTimeout(() => {
    pointer._at = {sx, sy}
    pointer.data = {x: [x], y: [y]}
  }, rest_ms)
}
