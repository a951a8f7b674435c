// A Span has no limits and tells nobody when it is let go (Bokeh 3.9): both are made good here.
if (head.data.edges.length === 0) return
const grip = cb_obj, edges = head.data.edges[0]
const place = Math.max(edges[0], Math.min(edges[edges.length - 1], grip.location))
if (!Number.isFinite(place)) return
if (line.location !== place) line.location = place
if (!grip._is_wired) {
  grip._is_wired = true
  grip.pan.connect(([phase]) => {
    if (phase !== "pan:end") return
    grip.location = line.location
    cut.data = {value: [line.location]}
  })
}
