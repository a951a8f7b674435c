// Draws a new head: blocks of the heatmap, links by kind, bars, colour scales; threshold and token follow.
if (head.data.matrix.length === 0) return
const cell = (name) => head.data[name][0]
const shown = cell("pooled").length > 0 ? cell("pooled") : cell("matrix")
// subarray() of Bokeh's own array type does not work, of a plain view on the same memory it does.
const values = new Float32Array(shown.buffer, shown.byteOffset, shown.length)

for (const source of Object.values(blocks)) {
  const {top, bottom, left, right} = source.data
  const image = source.data.image.map((old, i) => {
    const width = right[i] - left[i]
    const block = new Float32Array((bottom[i] - top[i]) * width)
    for (let row = top[i]; row < bottom[i]; row++) {
      const start = row * shown.shape[1] + left[i]
      block.set(values.subarray(start, start + width), (row - top[i]) * width)
    }
    return new old.constructor(block, [bottom[i] - top[i], width])
  })
  source.data = {...source.data, image}
}

const [from, to, value] = ["source", "target", "value"].map(cell)
const sorted = Object.fromEntries(kinds.map((kind) => [kind, {source: [], target: [], value: []}]))
for (let i = 0; i < value.length; i++) {
  const links = sorted[kinds[Math.max(token_kinds[from[i]], token_kinds[to[i]])]]
  links.source.push(from[i])
  links.target.push(to[i])
  links.value.push(value[i])
}
head._links = sorted

kinds.forEach((kind, i) => {
  const high = cell("limits")[i] > 0 ? cell("limits")[i] : 1
  for (const mappers of colours) mappers[kind]?.setv({high})
})

const counts = Array.from(cell("counts")), edges = Array.from(cell("edges"))
bars.data = {left: edges.slice(0, -1), right: edges.slice(1), top: counts.map((count) => Math.max(count, 0.7))}
const [low, high] = [edges[0], edges[edges.length - 1]]
const margin = Math.pow(high / low, 0.03)
x_range.setv({start: low / margin, end: high * margin})
y_range.setv({end: 2 * Math.max(...counts)})

line.location = cell("threshold")
show.execute(head)
