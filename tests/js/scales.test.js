import assert from "node:assert/strict"
import test from "node:test"
import {scales_of, words_of_ticks, words_side_by_side} from "../../vitpanel/views/figures/js/scales.js"

for (const [name, {curve, inverse}] of Object.entries(scales_of(3))) {
  test(`${name}: the inverse takes a shade back, and all of the largest value is 1`, () => {
    for (const part of [0.001, 0.01, 0.3, 1]) assert.ok(Math.abs(inverse(curve(part)) - part) < 1e-12)
    assert.equal(curve(1), 1)
  })
}

test("nothing is far below the logarithmic scale, and not infinitely", () => {
  assert.equal(scales_of(3).log.curve(0), -9)
})

test("the last tick says that all which is larger looks the same", () => {
  const words = words_of_ticks(scales_of(3)["square root"], 0.4)
  assert.equal(words(1), "≥ 0.4")
  assert.equal(words(0.5), "0.1")
})

test("the middle of a scale is said where it has room between the ends", () => {
  const words = ["0", "0.0074", "0.015"]
  assert.deepEqual(words_side_by_side(words, 64), ["0", "", "0.015"])
  assert.deepEqual(words_side_by_side(words, 120), words)
  assert.deepEqual(words_side_by_side(words, 30), ["", "", "0.015"])
  assert.deepEqual(words_side_by_side(["≤ 0.0001", "0.01", "0.4"], 90), ["≤ 0.0001", "", "0.4"])
})
