// Draws what is above the threshold: links, the strong part of the heatmap, the shaded part of the histogram.
export default function show_threshold({
  head, options, line, kept, label, x_range, count, links, paths, max_dragged, colours, strong, show_token,
}) {
  if (head.data.matrix.length === 0 || head._links === undefined) return
  const threshold = line.location, matrix = head._plain, values = head._values
  let above = 0
  for (let i = 0; i < matrix.length; i++) if (matrix[i] >= threshold) above++

  // While the bar is dragged only so many links are drawn that a step takes no longer than a frame or two.
  const most = head._is_dragged ? max_dragged : values.length
  const lowest = values.length > most ? Math.max(threshold, values[values.length - most]) : threshold
  let drawn = 0
  for (const [kind, source] of Object.entries(links)) {
    const {all, xs, ys, starts, shades} = head._links[kind], n = all.value.length
    let first = 0, end = n
    while (first < end) {
      const middle = (first + end) >> 1
      if (all.value[middle] < lowest) first = middle + 1
      else end = middle
    }
    drawn += n - first
    source.data = Object.fromEntries(Object.entries(all).map(([name, column]) => [name, column.subarray(first)]))
    const drawn_shades = shades.map((_, i) => i).filter((i) => (starts[i + 1] ?? n) > first)
    const part = (column) => drawn_shades.map((i) => column.subarray(3 * Math.max(starts[i], first), 3 * (starts[i + 1] ?? n)))
    paths[kind].data = {xs: part(xs), ys: part(ys), shade: drawn_shades.map((i) => shades[i])}
  }

  for (const [kind, mapper] of Object.entries(strong)) {
    const {palette} = colours[kind]
    // Shades are kept as float32: a value equal to the threshold must not come out below it.
    const low = Math.fround(head._shade(threshold, kind))
    const first = Math.max(Math.min(palette.length - 1, Math.floor(low * palette.length)), 0)
    mapper.setv({palette: palette.slice(first), low, high: Math.max(1, low + 1e-6)})
  }

  kept.left = threshold
  const share = (100 * above) / matrix.length
  const places = share >= 10 ? 0 : share >= 0.095 ? 1 : 2
  const words = {"top %": `top ${share.toFixed(places)} %`, "value": `≥ ${threshold.toPrecision(3)}`}
  const is_right = Math.log(threshold / x_range.start) > 0.5 * Math.log(x_range.end / x_range.start)
  label.setv({x: threshold, text: words[options.data.unit[0]], text_align: is_right ? "right" : "left", x_offset: is_right ? -4 : 4})
  const number = (n) => n.toLocaleString("en")
  count.text = drawn < above
    ? `Links: the ${number(drawn)} strongest of ${number(above)}`
    : `Links: ${number(drawn)} of ${number(matrix.length)}`
  show_token.execute(head)
}
