// Finds what is under the pointer: a token on the two rows of tokens, a patch on a picture, a link in the heatmap.
export default function point({head, pointed, pinned, n_prefix, rows, cols, grids, place}, cb_obj) {
  const NONE = {place: "", source: -1, target: -1}
  const find = () => {
    const {x, y} = cb_obj
    if (head._layout === undefined) return NONE
    if (place === "heatmap") {
      const link = head._link_at(x, y)
      return link === null ? NONE : {place, source: link.source, target: link.target}
    }
    if (place === "lines") {
      const token = head._token_at(head._layout.tokens, x)
      if (token < 0 || (y <= 0.72 && y >= 0.28)) return NONE
      return y > 0.72 ? {place: "sources", source: token, target: -1} : {place: "targets", source: -1, target: token}
    }
    const col = Math.floor(x), row = Math.floor(y)
    if (col < 0 || col >= cols || row < 0 || row >= rows) return NONE
    const token = n_prefix + row * cols + col
    return place === "source" ? {place, source: -1, target: token} : {place, source: token, target: -1}
  }
  const found = cb_obj.event_name === "mouseleave" ? NONE : find()

  if (cb_obj.event_name === "tap" || cb_obj.event_name === "doubletap") {
    const token = found.source >= 0 ? found.source : found.target
    // The second of two quick clicks comes as a doubletap, wherever it is.
    const is_kept = cb_obj.event_name === "tap" && pinned.data.token[0] === token
    if (token >= 0) pinned.data = {token: [is_kept ? -1 : token]}
  } else {
    for (const grid of grids) grid.visible = ["image", "source", "target"].includes(found.place)
    if (Object.entries(found).some(([name, value]) => pointed.data[name][0] !== value)) {
      pointed.data = Object.fromEntries(Object.entries(found).map(([name, value]) => [name, [value]]))
    }
  }
}
