/**
 * An array of the same kind as another, which Bokeh's own arrays with their shapes are.
 *
 * @template {object} Kind
 * @param {Kind} other
 * @param {ArrayLike<number>} values
 * @param {number[]} shape
 * @returns {Kind}
 */
export function array_like(other, values, shape) {
  const Kind = /** @type {new (values: ArrayLike<number>, shape: number[]) => Kind} */ (other.constructor)
  return new Kind(values, shape)
}
