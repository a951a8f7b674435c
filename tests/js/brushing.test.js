import assert from "node:assert/strict"
import test from "node:test"
import {drag_between, marks_of} from "../../vitpanel/views/figures/js/brushing.js"

const known = {rows: 2, cols: 3, tokens: [0, 10, 11, 12, 13, 14, 15, 16], cells: [0, 10, 11, 12, 13]}
const drag = (place, from, to) => drag_between(place, [from, to], known)

test("a drag over an image is the patches from corner to corner, whichever way it went", () => {
  const block = {kind: "patches", x: [1, 2], y: [0, 1]}
  assert.deepEqual(drag("image", {x: 1.9, y: 0.1}, {x: 2.1, y: 1.9}), block)
  assert.deepEqual(drag("target", {x: 2.1, y: 0.1}, {x: 1.9, y: 1.9}), block)
  assert.deepEqual(drag("source", {x: 1.5, y: -3}, {x: 99, y: 7}), block)
})

test("a drag along the rows of tokens is a run of them", () => {
  assert.deepEqual(drag("lines", {x: 5, y: 1}, {x: 11.5, y: 0}), {kind: "tokens", x: [0, 2], y: [0, 0]})
  assert.deepEqual(drag("lines", {x: 12.5, y: 1}, {x: 99, y: 1}), {kind: "tokens", x: [3, 6], y: [0, 0]})
  assert.deepEqual(drag("lines", {x: -1, y: 1}, {x: -2, y: 1}), {kind: "tokens", x: [0, 0], y: [0, 0]})
})

test("a drag over the heatmap is rows where it goes down or up, else columns", () => {
  assert.deepEqual(drag("heatmap", {x: 3, y: 11.5}, {x: 4, y: 5}), {kind: "rows", x: [0, 2], y: [0, 0]})
  assert.deepEqual(drag("heatmap", {x: 10.5, y: 2}, {x: 12.5, y: 3}), {kind: "columns", x: [1, 3], y: [0, 0]})
})

test("what a drag would mark is shown where it is, and nowhere else", () => {
  const places = {x: [5, 10.5, 11.5, 12.5], cells: known.cells}
  const block = marks_of({kind: "patches", x: [1, 2], y: [0, 0]}, places)
  assert.deepEqual(block.patches, {x: [2], y: [0.5], width: [2], height: [1], dash: ["solid"]})
  assert.deepEqual(block.tokens, {x: [], row: []})
  const run = marks_of({kind: "tokens", x: [1, 2], y: [0, 0]}, places)
  assert.deepEqual(run.tokens, {x: [10.5, 11.5, 10.5, 11.5], row: [1, 1, 0, 0]})
  assert.deepEqual(run.patches.x, [])
  const rows = marks_of({kind: "rows", x: [1, 2], y: [0, 0]}, places)
  assert.deepEqual(rows.cells, {left: [0], right: [13], top: [10], bottom: [12]})
  const columns = marks_of({kind: "columns", x: [0, 0], y: [0, 0]}, places)
  assert.deepEqual(columns.cells, {left: [0], right: [10], top: [0], bottom: [13]})
  assert.deepEqual(marks_of(null, places).cells, {left: [], right: [], top: [], bottom: []})
})
