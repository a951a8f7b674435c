// Find the image under the pointer, unless it drags, and show its card; the server is asked once for each image. The
// card is no Bokeh model: a change of one lays out the whole page again. A click puts it away until another image is
// pointed at.
export default function point_at_image({fig, points, pointer, reach, style}, cb_obj) {
  const {x, y} = points.data
  const {x_range, y_range, inner_width, inner_height} = fig
  const right = inner_width / (x_range.end - x_range.start), up = inner_height / (y_range.end - y_range.start)
  if (cb_obj.event_name === "panstart") pointer._is_dragging = true
  if (cb_obj.event_name === "panend") pointer._is_dragging = false
  let image = -1, least = reach ** 2
  if (cb_obj.event_name === "mousemove" && !pointer._is_dragging) {
    for (let i = 0; i < x.length; i++) {
      const distance = ((x[i] - cb_obj.x) * right) ** 2 + ((y[i] - cb_obj.y) * up) ** 2
      if (distance <= least) [image, least] = [i, distance]
    }
  }
  if (cb_obj.event_name === "tap") pointer._clicked = pointer.data.image[0]
  else if (image >= 0 && image === pointer._clicked) image = -1
  else if (cb_obj.event_name === "mousemove") pointer._clicked = -1
  if (pointer._card === undefined) {
    const card = document.createElement("div"), known = new Map()
    card.style = style
    card.hidden = true
    Bokeh.index.find_one_by_id(fig.id).shadow_el.append(card)
    const show = (html) => {
      card.innerHTML = html ?? ""
      card.hidden = html === undefined
    }
    pointer._card = {card, known, show}
  }
  const {card, known, show} = pointer._card
  if (image !== pointer.data.image[0]) {
    show(known.get(image))
    pointer.setv({data: {image: [image]}}, {sync: image >= 0 && !known.has(image)})
  }
  if (image >= 0) {
    const width = 210, height = 70
    card.style.left = `${Math.max(0, Math.min(cb_obj.sx - width / 2, fig.outer_width - width))}px`
    card.style.top = `${cb_obj.sy > fig.outer_height / 2 ? cb_obj.sy - height - 14 : cb_obj.sy + 14}px`
  }
}
