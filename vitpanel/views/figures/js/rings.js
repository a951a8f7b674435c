// Highlights the ring of the hop that is pointed at, until the pointer leaves.
/**
 * @param {{rings: Source<{hop: ArrayLike<number>, alpha: number[]}>, highlighted: number, faint: number}} args
 * @param {{index: {indices: number[]}}} cb_data
 */
export default function highlight_ring({rings, highlighted, faint}, cb_data) {
  const hop = cb_data.index.indices.at(0)
  const alpha = Array.from(rings.data.hop, (ring) => ring === hop ? highlighted : faint)
  if (alpha.some((value, i) => value !== rings.data.alpha[i])) {
    rings.data.alpha = alpha
    rings.change.emit()
  }
}
