// The address of the page says what is chosen. Each choice of the history in Python is an entry of the browser's: a new one
// is pushed, and where Python goes back or forth in its choices, the browser goes along. Whoever presses Back or Forward
// takes Python along. So there is one history, and the two never disagree.

/** @typedef {{query: string, choice: number}} Entry */
/** @typedef {{page: string, place: number, choice: number}} Mark what the browser keeps with an entry, over reloads too */
const PATIENCE_MS = 2000

/** @param {{model: Component<{entry: Entry, tab: string}>}} args */
export function render({model}) {
  // Entries of the page before a reload have choices that this session's Python does not know.
  const page = `${Date.now()}-${Math.random()}`
  const mark = () => /** @type {Mark | null} */ (window.history.state)
  /** @type {Map<number, number>} where among the browser's entries the choices of this page are */
  const places = new Map()
  let place = mark()?.place ?? 0, timer = 0
  // Whether the entry that the browser is at waits for a choice: at the start, and after Back to one that Python does not know.
  let is_open = true
  const write = (/** @type {"pushState" | "replaceState"} */ how) => {
    const {query, choice} = model.entry
    for (const [other, at] of places) if (at === place || (how === "pushState" && at > place)) places.delete(other)
    places.set(choice, place)
    is_open = false
    window.history[how]({page, place, choice}, "", `${window.location.pathname}${query}${window.location.hash}`)
  }
  const show = () => {
    if (timer) return  // on the way; `arrive` calls again
    const known = places.get(model.entry.choice)
    if (known !== undefined && known !== place) {
      timer = window.setTimeout(stay, PATIENCE_MS)
      window.history.go(known - place)
    } else if (known === place || is_open) {
      write("replaceState")
    } else {
      place += 1
      write("pushState")
    }
  }
  // A browser that does not move, for whatever reason, has the right address all the same.
  const stay = () => {
    timer = 0
    write("replaceState")
  }
  const arrive = () => {
    const here = mark(), is_sent = timer !== 0
    place = here?.place ?? place
    window.clearTimeout(timer)
    timer = 0
    if (is_sent) return show()
    const choice = here?.page === page ? here.choice : null
    const is_same = choice === null && window.location.search === model.entry.query
    if (is_same || choice === model.entry.choice) return write("replaceState")
    is_open = true
    model.send_msg({choice, query: window.location.search})
  }
  const name_tab = () => {
    if (model.tab) document.title = model.tab
  }
  model.on("entry", show)
  model.on("tab", name_tab)
  window.addEventListener("popstate", arrive)
  model.on("remove", () => window.removeEventListener("popstate", arrive))
  name_tab()
  show()
}
