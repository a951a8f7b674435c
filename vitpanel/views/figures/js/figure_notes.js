// What scripts leave on a figure and its colours for other scripts.
import {notes_about} from "./notes.js"

export const notes_on_frame = notes_about("frame", () => /** @type {{size: [number, number] | null}} */ ({size: null}))

export const notes_on_mapper = notes_about("mapper", () =>
  /** @type {{words: ((tick: number) => string) | null}} */ ({words: null}))
