import assert from "node:assert/strict"
import {test} from "node:test"
import {lines_within} from "../../vitpanel/views/js/caption.js"

const measure = (/** @type {string} */ text) => 10 * text.length

test("lines are broken at spaces, and none is wider than the picture", () => {
  const lines = lines_within(["demo · image 3 · L0 H4", "brushed images: of class coat"], 150, measure)
  assert.deepEqual(lines, ["demo · image", "3 · L0 H4", "brushed", "images: of", "class coat"])
})

test("a word that is too wide is broken anywhere, and nothing of it is lost", () => {
  const word = "x".repeat(50), lines = lines_within([`a ${word}`], 120, measure)
  assert.ok(lines.every((line) => measure(line) <= 120))
  assert.equal(lines.join(""), `a${word}`)
})

test("a text that fits is one line, also where it is empty", () => {
  assert.deepEqual(lines_within(["short", ""], 1000, measure), ["short", ""])
})
