// The name of the row or column under the pointer.
/**
 * @param {{names: Source<{name: string[]}>}} args
 * @param {number} value
 */
export default function name_hover({names}, value) {
  return names.data.name[Math.round(value)] ?? ""
}
