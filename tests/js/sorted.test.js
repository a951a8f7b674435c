import assert from "node:assert/strict"
import test from "node:test"
import {first_at_least, interval_at} from "../../vitpanel/views/figures/js/sorted.js"

test("the first value that is large enough is that of a linear search", () => {
  const ascending = [0.1, 0.2, 0.2, 0.5, 0.9]
  for (const value of [0, 0.1, 0.15, 0.2, 0.3, 0.5, 0.9, 1]) {
    const found = ascending.findIndex((one) => one >= value)
    assert.equal(first_at_least(ascending, value), found < 0 ? ascending.length : found)
  }
  assert.equal(first_at_least([], 1), 0)
})

test("a place belongs to the interval that it begins, and not to the one that it ends", () => {
  const edges = [0, 1, 1.5, 4]
  assert.deepEqual([0, 0.99, 1, 1.4, 1.5, 3.9].map((place) => interval_at(edges, place)), [0, 0, 1, 1, 2, 2])
  assert.deepEqual([-0.1, 4, 7].map((place) => interval_at(edges, place)), [-1, -1, -1])
})

test("an interval without width has no place", () => {
  assert.equal(interval_at([0, 1, 1, 2], 1), 2)
})
