// The value at a tick of a colour bar, in the words that the head's script keeps with the colours.
export default function scale_tick({mapper}, tick) {
  return mapper._words?.(tick) ?? ""
}
