// Shapes of markers, in a square of ten.

/** @typedef {keyof typeof SHAPES} Marker */

export const SHAPES = {
  circle: '<circle cx="5" cy="5" r="4"/>',
  square: '<rect x="1.5" y="1.5" width="7" height="7"/>',
  triangle: '<path d="M5 1 9 9H1Z"/>',
  diamond: '<path d="M5 0 8.5 5 5 10 1.5 5Z"/>',
  inverted_triangle: '<path d="M5 9 1 1h8Z"/>',
  hex: '<path d="M3 1h4l2 4-2 4H3L1 5Z"/>',
  x: '<path d="M2 2 8 8M8 2 2 8" stroke-width="2"/>',
}
