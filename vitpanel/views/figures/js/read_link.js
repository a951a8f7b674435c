// Words for one part of the link under the pointer, in a tooltip.
export default function read_link({head, pinned, names, cls, n_prefix, cols, place, part}, special_vars) {
  const {x, y} = special_vars
  const read = () => {
    if (place === "heatmap") return head._link_at(x, y)
    const patch = n_prefix + Math.floor(y) * cols + Math.floor(x)
    const token = pinned.data.token[0] >= 0 ? pinned.data.token[0] : cls
    if (place === "target" && token < 0) return null
    const [source, target] = place === "source" ? [token, patch] : [patch, token]
    const matrix = head.data.matrix[0]
    return {source, target, value: source < 0 ? head._mean[target] : matrix[source * matrix.shape[0] + target]}
  }
  const link = head._layout === undefined ? null : read()
  if (link === null) return "–"
  if (part === "attention") return link.value === 0 ? "0" : link.value.toPrecision(3)
  return link[part] < 0 ? "mean of all patches" : names[link[part]]
}
