import assert from "node:assert/strict"
import test from "node:test"
import {sorted_links} from "../../vitpanel/views/figures/js/drawn_links.js"
import {links_from, middle_shade} from "../../vitpanel/views/figures/js/links.js"

// CLS, an extra token that is not shown, and two patches; links weakest first, as places in the matrix of 4 × 4.
const sent = {
  places: [0 * 4 + 2, 2 * 4 + 3, 1 * 4 + 2, 3 * 4 + 0, 3 * 4 + 2],
  values: Float32Array.of(0.125, 0.25, 0.375, 0.5, 0.75),
  n_tokens: 4, edges: [0, 1, 1, 2, 3],
}
const known = {kinds: ["patch", "cls", "extra"], token_kinds: [1, 2, 0, 0], drawn: {patch: null, cls: null}}
const look = {shade: (value) => value, n_shades: 2, x: [0.5, 1, 1.5, 2.5], rows: [1, 0]}
const links = sorted_links(sent, known, look)

test("links are sorted by kind, and those of a hidden token are left out", () => {
  assert.deepEqual(Object.keys(links), ["patch", "cls"])
  assert.deepEqual([...links.patch.all.source], [2, 3])
  assert.deepEqual([...links.patch.all.target], [3, 2])
  assert.deepEqual([...links.cls.all.source], [0, 3])
  assert.deepEqual([...links.cls.all.value], [0.125, 0.5])
})

test("lines go from the row of sources to that of targets, and are parted by NaN", () => {
  assert.deepEqual([...links.patch.xs], [1.5, 2.5, NaN, 2.5, 1.5, NaN])
  assert.deepEqual([...links.patch.ys], [1, 0, NaN, 1, 0, NaN])
})

test("links of one shade follow each other", () => {
  assert.deepEqual(links.patch.shades, [0.25, 0.75])
  assert.deepEqual(links.patch.starts, [0, 1])
})

test("from any link on, the paths have the lines of the columns", () => {
  for (let first = 0; first <= 2; first++) {
    const {columns, paths} = links_from(links.patch, first)
    assert.equal(columns.value.length, 2 - first)
    const from = paths.xs.flatMap((xs) => [...xs].filter((_, i) => i % 3 === 0))
    assert.deepEqual(from, [...columns.x0])
    assert.equal(paths.shade.length, paths.xs.length)
  }
})

test("a shade is the middle of its part, and what is beyond has the first or the last", () => {
  const middles = [-3, 0, 0.24, 0.25, 1, 7].map((part) => middle_shade(part, 4))
  assert.deepEqual(middles, [0.125, 0.125, 0.125, 0.375, 0.875, 0.875])
})
