// Moves the threshold with the pointer, inside the values that there are; the server hears of it on release.
if (head.data.edges.length === 0) return
const edges = head.data.edges[0]
const place = Math.max(edges[0], Math.min(edges[edges.length - 1], cb_obj.x))
if (Number.isFinite(place)) line.location = place
if (cb_obj.event_name === "panend" || cb_obj.event_name === "tap") cut.data = {value: [line.location]}
