// Keep the inset square and in the upper right corner, whatever the size of the frame.
/** @param {{fig: Figure, x_range: BokehRange, y_range: BokehRange, n_hops: number, share: number}} args */
export default function place_inset({fig, x_range, y_range, n_hops, share}) {
  const width = fig.inner_width, height = fig.inner_height
  if (width > 0 && height > 0) {
    const side = 2 * n_hops - 1
    const unit = Math.min(share * height - 4, 0.5 * width) / side
    x_range.setv({start: side / 2 + 2 / unit - width / unit, end: side / 2 + 2 / unit})
    y_range.setv({start: side / 2 + 2 / unit - height / unit, end: side / 2 + 2 / unit})
  }
}
