// Draws a new head, or the same one on another scale or without its extra tokens; threshold and token follow.
if (head.data.matrix.length === 0) return
const cell = (name) => head.data[name][0]
const matrix = cell("matrix"), n_tokens = matrix.shape[0]
const shown = cell("pooled").length > 0 ? cell("pooled") : matrix
const layout = layouts[options.data.extra[0] ? "all" : "few"]
const scales = {
  "linear": [(part) => part, (shade) => shade],
  "square root": [Math.sqrt, (shade) => shade * shade],
  "log": [(part) => Math.max(1 + Math.log10(part) / decades, -9), (shade) => Math.pow(10, decades * (shade - 1))],
}
const [curve, inverse] = scales[options.data.scale[0]]
const high = Object.fromEntries(kinds.map((kind, i) => [kind, cell("limits")[i] > 0 ? cell("limits")[i] : 1]))
const kind_of = (source, target) => kinds[Math.max(token_kinds[source], token_kinds[target])]

const token_at = (edges, place) => {
  let low = 0, after = edges.length - 1
  if (place < edges[0] || place >= edges[after]) return -1
  while (after - low > 1) {
    const middle = (low + after) >> 1
    if (edges[middle] <= place) low = middle
    else after = middle
  }
  return low
}
const members = (index) => {
  if (index < n_prefix) return [index]
  const top = Math.floor((index - n_prefix) / cell_cols) * step, left = ((index - n_prefix) % cell_cols) * step
  const found = []
  for (let row = top; row < Math.min(top + step, rows); row++) {
    for (let col = left; col < Math.min(left + step, cols); col++) found.push(n_prefix + row * cols + col)
  }
  return found
}
// A cell of a pooled heatmap stands for the strongest link in it.
const link_at = (x, y) => {
  const row = token_at(layout.cells, y), col = token_at(layout.cells, x)
  if (row < 0 || col < 0) return null
  let best = null
  for (const source of members(row)) {
    for (const target of members(col)) {
      const value = matrix[source * n_tokens + target]
      if (best === null || value > best.value) best = {source, target, value}
    }
  }
  return best
}
const shade = (value, kind) => curve(value / high[kind])
Object.assign(head, {_layout: layout, _curve: curve, _shade: shade, _token_at: token_at, _link_at: link_at, _mean: null})

// subarray() of Bokeh's own array type does not work, of a plain view on the same memory it does.
const values = new Float32Array(shown.buffer, shown.byteOffset, shown.length)
for (const [kind, source] of Object.entries(blocks)) {
  const places = layout.blocks[kind] ?? Object.fromEntries(Object.keys(source.data).map((name) => [name, []]))
  const image = places.top.map((top, i) => {
    const width = places.right[i] - places.left[i], height = places.bottom[i] - top
    const block = new Float32Array(height * width)
    for (let row = 0; row < height; row++) {
      const start = (top + row) * shown.shape[1] + places.left[i]
      for (let col = 0; col < width; col++) block[row * width + col] = curve(values[start + col] / high[kind])
    }
    return new matrix.constructor(block, [height, width])
  })
  source.data = {...places, image}
  const words = (tick) => Number((high[kind] * inverse(tick)).toPrecision(2)).toString()
  const labels = [0, 0.25, 0.5, 0.75].map((tick) => [tick, words(tick)])
  bars[kind].setv({major_label_overrides: new Map([...labels, [1, `≥ ${words(1)}`]]), visible: kind in layout.blocks})
}
const size = layout.cells[layout.cells.length - 1]
heatmap._size = [size, size]
fit.execute(heatmap)

const edges = layout.tokens, middle = (token) => (edges[token] + edges[token + 1]) / 2
const width = edges[edges.length - 1], x = Array.from({length: n_tokens}, (_, token) => middle(token))
tokens.data = {...tokens.data, x, width: x.map((_, token) => edges[token + 1] - edges[token])}
lines_range.setv({start: -margin * width, end: (1 + margin) * width})
const links = Array.from(cell("links"), (link) => [Math.floor(link / n_tokens), link % n_tokens])
head._x = x
head._values = Float32Array.from(cell("links"), (link) => matrix[link])
head._links = {}
for (const kind of Object.keys(blocks)) {
  const own = links.filter(([source, target]) =>
    kind_of(source, target) === kind && edges[source] < edges[source + 1] && edges[target] < edges[target + 1])
  const value = Float32Array.from(own, ([source, target]) => matrix[source * n_tokens + target])
  head._links[kind] = {
    source: Int32Array.from(own, ([source]) => source),
    target: Int32Array.from(own, ([, target]) => target),
    value,
    shade: value.map((one) => shade(one, kind)),
    x0: Float64Array.from(own, ([source]) => x[source]),
    x1: Float64Array.from(own, ([, target]) => x[target]),
  }
}

const count = Array.from(cell("counts")), ends = Array.from(cell("edges"))
histogram.data = {left: ends.slice(0, -1), right: ends.slice(1), top: count.map((n) => Math.max(n, 0.7)), count}
const [low, most] = [ends[0], ends[ends.length - 1]]
const space = Math.pow(most / low, 0.03)
x_range.setv({start: low / space, end: most * space})
y_range.setv({end: 2 * Math.max(...count)})

// The line moves to a new head's threshold, and what it says is drawn; the same head keeps its line.
const place = head._matrix === matrix ? line.location : cell("threshold")
head._matrix = matrix
if (line.location !== place) line.location = place
else show.execute(head)
