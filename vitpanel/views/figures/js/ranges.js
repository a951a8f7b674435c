// Tells the server what is in sight while it still moves, not only when it has come to rest.
import {notes_about} from "./notes.js"

const notes_on_ranges = notes_about("ranges", () => ({is_waiting: false, told: 0}))

/**
 * @param {{fig: Figure, pause: number}} args
 * @param {{index: ViewIndex}} cb_context
 */
export default function tell_ranges({fig, pause}, cb_context) {
  const notes = notes_on_ranges(fig)
  if (notes.is_waiting) return
  notes.is_waiting = true
  const tell = () => {
    notes.is_waiting = false
    cb_context.index.find_one(fig)?.trigger_ranges_update_event()
  }
  const since = Date.now() - notes.told
  notes.told = Date.now() + Math.max(0, pause - since)
  setTimeout(tell, Math.max(0, pause - since))
}
