// Finds the token under the pointer: on the two rows of tokens by its place along them, on a picture by its patch.
const find = () => {
  const {x, y} = cb_obj
  if (place === "lines") {
    const side = y > 0.72 ? "source" : y < 0.28 ? "target" : null
    const token = Math.round(x)
    return side === null || token < 0 || token >= n_tokens ? null : {token, side}
  }
  const col = Math.floor(x), row = Math.floor(y)
  const is_inside = col >= 0 && col < cols && row >= 0 && row < rows
  return is_inside ? {token: n_prefix + row * cols + col, side: place === "target" ? "target" : "source"} : null
}
const found = cb_obj.event_name === "mouseleave" ? null : find()

if (cb_obj.event_name === "tap" || cb_obj.event_name === "doubletap") {
  // The second of two quick clicks comes as a doubletap, wherever it is.
  const is_kept = cb_obj.event_name === "tap" && pinned.data.token[0] === found?.token
  if (found !== null) pinned.data = {token: [is_kept ? -1 : found.token]}
} else {
  const {token, side} = found ?? {token: -1, side: "source"}
  if (pointed.data.token[0] !== token || pointed.data.side[0] !== side) pointed.data = {token: [token], side: [side]}
}
