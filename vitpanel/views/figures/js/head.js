// Draws a new head, or the same one on another scale or without its extra tokens; threshold and token follow.
export default function draw_head({
  head, options, kinds, token_kinds, decades, layouts, blocks, bars, colours, heatmap, fit, tokens, lines_range, margin,
  strokes, n_shades, rows_of_tokens, histogram, x_range, y_range, line, show, n_prefix, rows, cols, step, cell_cols,
}) {
  if (head.data.matrix.length === 0) return
  const cell = (name) => head.data[name][0]
  const matrix = cell("matrix"), n_tokens = matrix.shape[0]
  // A plain view on the same memory: Bokeh's own array type is slower, and its subarray() does not work.
  const plain = new Float32Array(matrix.buffer, matrix.byteOffset, matrix.length)
  const shown = cell("pooled").length > 0 ? cell("pooled") : matrix
  const layout = layouts[options.data.extra[0] ? "all" : "few"]
  const scales = {
    "linear": [(part) => part, (shade) => shade],
    "square root": [Math.sqrt, (shade) => shade * shade],
    "log": [(part) => Math.max(1 + Math.log10(part) / decades, -9), (shade) => Math.pow(10, decades * (shade - 1))],
  }
  const [curve, inverse] = scales[options.data.scale[0]]
  const high = Object.fromEntries(kinds.map((kind, i) => [kind, cell("limits")[i] > 0 ? cell("limits")[i] : 1]))

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
        const value = plain[source * n_tokens + target]
        if (best === null || value > best.value) best = {source, target, value}
      }
    }
    return best
  }
  const shade = (value, kind) => curve(value / high[kind])
  Object.assign(head, {_layout: layout, _curve: curve, _inverse: inverse, _shade: shade, _token_at: token_at, _link_at: link_at, _mean: null, _plain: plain})

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
    colours[kind]._words = (tick) => (tick === 1 ? `≥ ${words(1)}` : words(tick))
    bars[kind].visible = kind in layout.blocks
  }
  const size = layout.cells[layout.cells.length - 1]
  heatmap._size = [size, size]
  fit.execute(heatmap)

  const edges = layout.tokens, middle = (token) => (edges[token] + edges[token + 1]) / 2
  const width = edges[edges.length - 1], x = Array.from({length: n_tokens}, (_, token) => middle(token))
  tokens.data = {...tokens.data, x, width: x.map((_, token) => edges[token + 1] - edges[token])}
  lines_range.setv({start: -margin * width, end: (1 + margin) * width})

  // Links by kind, weakest first as they are sent. Those of one shade follow each other and are drawn as one path, with
  // NaN between its lines; on any screen the lines are one pixel wide, which browsers paint several times faster.
  const ratio = window.devicePixelRatio || 1
  if (ratio !== 1) for (const stroke of strokes) stroke.line_width = {value: 1 / ratio}
  const sent = cell("links"), n_links = sent.length
  head._x = x
  head._values = new Float32Array(n_links)
  head._links = {}
  const kind_numbers = new Uint8Array(n_links), sizes = new Uint32Array(kinds.length)
  for (let i = 0; i < n_links; i++) {
    const source = Math.floor(sent[i] / n_tokens), target = sent[i] % n_tokens
    head._values[i] = plain[sent[i]]
    const is_shown = edges[source] < edges[source + 1] && edges[target] < edges[target + 1]
    kind_numbers[i] = is_shown ? Math.max(token_kinds[source], token_kinds[target]) : 255
    if (is_shown) sizes[kind_numbers[i]]++
  }
  kinds.forEach((kind, number) => {
    if (!(kind in blocks)) return
    const n = sizes[number]
    const all = {
      source: new Int32Array(n), target: new Int32Array(n), value: new Float32Array(n), x0: new Float64Array(n),
      x1: new Float64Array(n),
    }
    const xs = new Float64Array(3 * n).fill(NaN), ys = new Float64Array(3 * n).fill(NaN), starts = [], shades = []
    for (let i = 0, at = 0; i < n_links; i++) {
      if (kind_numbers[i] !== number) continue
      const source = Math.floor(sent[i] / n_tokens), target = sent[i] % n_tokens
      all.source[at] = source
      all.target[at] = target
      all.value[at] = head._values[i]
      xs[3 * at] = all.x0[at] = x[source]
      xs[3 * at + 1] = all.x1[at] = x[target]
      ys[3 * at] = rows_of_tokens[0]
      ys[3 * at + 1] = rows_of_tokens[1]
      const level = Math.max(0, Math.min(n_shades - 1, Math.floor(n_shades * shade(head._values[i], kind))))
      const middle = (level + 0.5) / n_shades
      if (shades[shades.length - 1] !== middle) {
        shades.push(middle)
        starts.push(at)
      }
      at++
    }
    head._links[kind] = {all, xs, ys, starts, shades}
  })

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
}
