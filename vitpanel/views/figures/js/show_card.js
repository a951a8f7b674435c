// A card has come: keep it, and show it if its image is still pointed at. An empty one says that those kept are of the past.
import {notes_on_images} from "./image_notes.js"

/** @param {{answer: Source<{image: number[], html: string[]}>, pointer: Source<{image: number[]}>}} args */
export default function show_card({answer, pointer}) {
  const image = answer.data.image[0], html = answer.data.html[0]
  const {known, show} = notes_on_images(pointer)
  if (image === undefined) {
    known.clear()
    show?.(undefined)
    return
  }
  known.set(image, html)
  if (image === pointer.data.image[0]) show?.(html)
}
