// What the scripts of the image map leave for each other, noted on the source of the pointer.
import {notes_about} from "./notes.js"

/**
 * @typedef {object} ImageNotes
 * @property {boolean} is_dragging
 * @property {number} clicked image whose card a click has put away, -1 for none
 * @property {Map<number, string>} known cards as HTML
 * @property {HTMLElement | null} card null before the pointer was there
 * @property {((html: string | undefined) => void) | null} show
 */

export const notes_on_images = notes_about("images", () => /** @type {ImageNotes} */ ({
  is_dragging: false, clicked: -1, known: new Map(), card: null, show: null,
}))
