// Find the image under the pointer, unless it drags, and show its card; the server is asked once for each image. A click
// puts the card away until another image is pointed at.
import {create_card, place_card} from "./card.js"
import {notes_on_images} from "./image_notes.js"
import {nearest} from "./nearness.js"

const WIDTH = 210, HEIGHT = 70  // of a card that has not come yet

/**
 * @typedef {object} Args
 * @property {Figure} fig
 * @property {Source<{x: ArrayLike<number>, y: ArrayLike<number>}>} points
 * @property {Source<{image: number[]}>} pointer
 * @property {number} reach
 * @property {string} style
 */

/**
 * @param {Args} args
 * @param {PointEvent} cb_obj
 */
export default function point_at_image({fig, points, pointer, reach, style}, cb_obj) {
  const notes = notes_on_images(pointer), {known} = notes
  if (cb_obj.event_name === "panstart") notes.is_dragging = true
  if (cb_obj.event_name === "panend") notes.is_dragging = false
  const is_looking = cb_obj.event_name === "mousemove" && !notes.is_dragging
  let image = is_looking ? nearest(fig, points.data, cb_obj, reach) : -1
  if (cb_obj.event_name === "tap") notes.clicked = pointer.data.image[0]
  else if (image >= 0 && image === notes.clicked) image = -1
  else if (cb_obj.event_name === "mousemove") notes.clicked = -1
  const card = notes.card ?? create_card(fig, style)
  notes.card = card
  notes.show = (html) => {
    card.innerHTML = html ?? ""
    card.hidden = html === undefined
  }
  if (image !== pointer.data.image[0]) {
    notes.show(known.get(image))
    pointer.setv({data: {image: [image]}}, {sync: image >= 0 && !known.has(image)})
  }
  if (image >= 0) place_card(card, fig, {sx: cb_obj.sx, sy: cb_obj.sy, width: WIDTH, height: card.offsetHeight || HEIGHT})
}
