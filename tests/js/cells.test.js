import assert from "node:assert/strict"
import test from "node:test"
import {cell_of, members_of, strongest_link_at} from "../../vitpanel/views/figures/js/cells.js"

// Two tokens before 3 × 5 patches, of which squares of 2 × 2 share a cell: 2 × 3 cells, cut off at two sides.
const tokens = {n_prefix: 2, rows: 3, cols: 5, step: 2, cell_cols: 3, n_tokens: 17}

test("each token is a member of its own cell and of no other", () => {
  const cells = Array.from({length: 2 + 2 * 3}, (_, cell) => members_of(tokens, cell))
  assert.deepEqual(cells.flat().sort((a, b) => a - b), Array.from({length: 17}, (_, token) => token))
  cells.forEach((members, cell) => {
    for (const token of members) assert.equal(cell_of(tokens, token), cell)
  })
})

test("the last cells have the patches that are left", () => {
  assert.deepEqual(members_of(tokens, 2), [2, 3, 7, 8])
  assert.deepEqual(members_of(tokens, 7), [16])
})

test("a cell stands for its strongest link", () => {
  const matrix = Float32Array.from({length: 17 * 17}, (_, i) => ((i * 7919) % 289) / 289)
  const edges = [0, 1, 2, 3, 4, 5, 6, 7, 8]
  for (let row = 0; row < 8; row++) {
    for (let col = 0; col < 8; col++) {
      const all = members_of(tokens, row).flatMap((source) =>
        members_of(tokens, col).map((target) => ({source, target, value: matrix[source * 17 + target]})))
      const [best] = all.sort((a, b) => b.value - a.value)
      assert.deepEqual(strongest_link_at(matrix, tokens, {edges, x: col + 0.5, y: row + 0.5}), best)
    }
  }
  assert.equal(strongest_link_at(matrix, tokens, {edges, x: 8, y: 0}), null)
  assert.equal(strongest_link_at(matrix, tokens, {edges, x: 0, y: -0.1}), null)
})
