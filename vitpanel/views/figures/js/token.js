// Draws the token pointed at, else the one clicked at: its links, its patch, and the image under both its masks.
if (head.data.matrix.length === 0) return
const matrix = head.data.matrix[0], n_tokens = matrix.shape[0]
const hovered = pointed.data.token[0], clicked = pinned.data.token[0]
const chosen = hovered >= 0 ? hovered : clicked < n_tokens ? clicked : -1
const side = hovered >= 0 ? pointed.data.side[0] : "source"

const token = chosen >= 0 ? chosen : cls
const short = token >= 0 ? names[token].split(" (")[0] : ""
captions.source.text = token >= 0 ? `${short} attends to` : "there is no CLS:"
captions.target.text = token >= 0 ? `attend to ${short}` : "point at a patch"
const view = {source: (i) => matrix[token * n_tokens + n_prefix + i], target: (i) => matrix[(n_prefix + i) * n_tokens + token]}
for (const [name, source] of Object.entries(masks)) {
  let most = 0
  for (let i = 0; i < rows * cols; i++) most = token >= 0 ? Math.max(most, view[name](i)) : 0
  const pixels = new Uint32Array(rows * cols)
  for (let i = 0; i < rows * cols; i++) {
    // Black, as transparent as the attention is strong; bytes are red, green, blue, alpha from the lowest up.
    const alpha = token < 0 ? 120 : most > 0 ? Math.round(255 * (1 - view[name](i) / most)) : 255
    pixels[i] = (alpha << 24) >>> 0
  }
  source.data = {mask: [new source.data.mask[0].constructor(pixels, [rows, cols])]}
}

const is_patch = chosen >= n_prefix, cell = chosen - n_prefix
patch.data = is_patch ? {x: [(cell % cols) + 0.5], y: [Math.floor(cell / cols) + 0.5]} : {x: [], y: []}
mark.data = chosen >= 0 ? {token: [chosen], row: [side === "source" ? 1 : 0]} : {token: [], row: []}

const found = {source: [], target: [], value: []}
if (chosen >= 0) {
  for (const {data} of Object.values(links)) {
    for (let i = 0; i < data.value.length; i++) {
      if (data[side][i] !== chosen) continue
      for (const column of Object.keys(found)) found[column].push(data[column][i])
    }
  }
}
lit.data = found
const n_found = `${found.value.length} link${found.value.length === 1 ? "" : "s"} ${side === "source" ? "out" : "in"}`
words.text = chosen >= 0 ? `${names[chosen]}: ${n_found}` : (words._text ?? "Links")
