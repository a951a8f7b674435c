// Draws what is above the threshold: links, the strong part of the heatmap, the shaded part of the histogram.
if (head.data.matrix.length === 0 || head._links === undefined) return
const threshold = line.location, matrix = head.data.matrix[0]
let above = 0
for (let i = 0; i < matrix.length; i++) if (matrix[i] >= threshold) above++

let drawn = 0
for (const [kind, source] of Object.entries(links)) {
  const all = head._links[kind]
  let first = 0, end = all.value.length
  while (first < end) {
    const middle = (first + end) >> 1
    if (all.value[middle] < threshold) first = middle + 1
    else end = middle
  }
  drawn += all.value.length - first
  source.data = {source: all.source.slice(first), target: all.target.slice(first), value: all.value.slice(first)}
}

for (const [kind, mapper] of Object.entries(strong)) {
  const {palette, high} = colours[kind]
  const first = Math.min(palette.length - 1, Math.floor((threshold / high) * palette.length))
  mapper.setv({palette: palette.slice(Math.max(first, 0)), low: threshold, high: Math.max(high, threshold * 1.000001)})
}

kept.left = threshold
const share = (100 * above) / matrix.length
const places = share >= 10 ? 0 : share >= 0.095 ? 1 : 2
title.text = `Top ${share.toFixed(places)} %: attention ≥ ${threshold.toPrecision(3)}`
const number = (n) => n.toLocaleString("en")
count._text = drawn < above
  ? `Links: the ${number(drawn)} strongest of ${number(above)}`
  : `Links: ${number(drawn)} of ${number(matrix.length)}`
show_token.execute(head)
