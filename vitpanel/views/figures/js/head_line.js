// Chooses a head by the line: a drag moves it in the browser alone, and the rest of the page hears of it when the
// line rests or is let go. `act` says what has happened: "drag", "tap" or "size" (the figure has got its place).
export default function move_head_line({fig, picked, rest_ms, act, line, grip, n_layers, n_heads, reach}, cb_obj) {
  const last = n_layers * n_heads - 1
  const flat = (x) => Math.max(0, Math.min(last, Math.round(x)))
  // Each act is told, also that of a head which was told last: the server may have gone elsewhere meanwhile.
  const tell = () => {
    clearTimeout(line._rest)
    picked.data = {flat: [line.location], act: [picked.data.act[0] + 1]}
  }
  const name = (head) => `layer ${Math.floor(head / n_heads)} head ${head % n_heads}`
  // After a click the server hears of the head alone, by `picked`, and answers with the place of the line. In a drag and
  // by keys it hears of the place too: there an answer would come late, and take the line back.
  const move = (head, sync = true) => {
    line.setv({location: head}, {sync})
    grip.setv({left: head - reach, right: head + reach}, {sync})
  }

  if (act === "drag") {
    // `left` alone is read: Python moves the two sides one after the other.
    const head = flat(grip.left + reach)
    if (line.location !== head) line.location = head
    if (grip._is_held) {
      clearTimeout(line._rest)
      line._rest = setTimeout(tell, rest_ms)
    }
  } else if (act === "tap") {
    move(flat(cb_obj.x), false)
    tell()
  } else {
    const el = Bokeh.index.find_one_by_id(fig.id)?.canvas_view.el
    if (el === undefined || el.tabIndex === 0) return
    grip.pan.connect(([phase]) => {
      grip._is_held = phase !== "pan:end"
      if (grip._is_held) return
      move(line.location)
      tell()
    })
    const say = () => el.setAttribute("aria-valuetext", name(line.location))
    Object.entries({role: "slider", "aria-label": "chosen head", "aria-valuemin": 0, "aria-valuemax": last}).forEach(
      ([key, value]) => el.setAttribute(key, value),
    )
    el.tabIndex = 0
    say()
    line.properties.location.change.connect(() => {
      say()
      el.setAttribute("aria-valuenow", line.location)
    })
    el.addEventListener("pointerdown", () => el.focus({preventScroll: true}))
    const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowDown: -n_heads, ArrowUp: n_heads, Home: -last, End: last}
    el.addEventListener("keydown", (event) => {
      if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return
      event.preventDefault()
      const head = line.location + steps[event.key]
      const is_layer = Math.abs(steps[event.key]) === n_heads
      if (is_layer && (head < 0 || head > last)) return
      move(flat(head))
      clearTimeout(line._rest)
      if (event.repeat) line._rest = setTimeout(tell, rest_ms)
      else tell()
    })
  }
}
