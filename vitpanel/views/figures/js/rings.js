// Light the ring of the hop that is pointed at, and put it out when the pointer leaves.
/**
 * @param {{rings: Source<{hop: ArrayLike<number>, alpha: number[]}>, lit: number, unlit: number}} args
 * @param {{index: {indices: number[]}}} cb_data
 */
export default function light_ring({rings, lit, unlit}, cb_data) {
  const hop = cb_data.index.indices.at(0)
  const alpha = Array.from(rings.data.hop, (ring) => ring === hop ? lit : unlit)
  if (alpha.some((value, i) => value !== rings.data.alpha[i])) {
    rings.data.alpha = alpha
    rings.change.emit()
  }
}
