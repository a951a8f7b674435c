// Keeps units of x and y equally long.
import {notes_on_frame} from "./figure_notes.js"

/** @param {{fig: Figure, size: [number, number], room: number}} args */
export default function fit({fig, size, room}) {
  if (fig.properties.inner_width.is_unset) return
  const [width, height] = notes_on_frame(fig).size ?? size
  const unit = Math.max(width / fig.inner_width, height / (fig.inner_height - room))
  if (Number.isFinite(unit) && unit > 0) {
    const x = (fig.inner_width * unit - width) / 2, y = ((fig.inner_height - room) * unit - height) / 2
    fig.x_range.setv({start: -x, end: width + x})
    fig.y_range.setv({start: height + y + room * unit, end: -y})
  }
}
