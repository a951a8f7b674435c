// The value at a tick of a colour bar, in the words that the head's script keeps with the colours.
import {notes_on_mapper} from "./figure_notes.js"

/**
 * @param {{mapper: ColorMapper}} args
 * @param {number} tick
 */
export default function scale_tick({mapper}, tick) {
  return notes_on_mapper(mapper).words?.(tick) ?? ""
}
