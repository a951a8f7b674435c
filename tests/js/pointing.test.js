import assert from "node:assert/strict"
import test from "node:test"
import {card_place} from "../../vitpanel/views/figures/js/card.js"
import {nearest} from "../../vitpanel/views/figures/js/nearness.js"
import {NOTHING, patch_at, token_at} from "../../vitpanel/views/figures/js/pointed.js"

test("tokens are read on their two rows, and not between them", () => {
  const edges = [0, 1, 2]
  assert.deepEqual(token_at(edges, {x: 1.5, y: 0.9}), {place: "sources", source: 1, target: -1})
  assert.deepEqual(token_at(edges, {x: 0.5, y: 0.1}), {place: "targets", source: -1, target: 0})
  assert.equal(token_at(edges, {x: 0.5, y: 0.5}), NOTHING)
  assert.equal(token_at(edges, {x: 2.5, y: 0.9}), NOTHING)
})

test("a patch on the mask of sources is a target, elsewhere it is a source", () => {
  const tokens = {n_prefix: 1, rows: 2, cols: 3}
  assert.deepEqual(patch_at("source", tokens, {x: 2.9, y: 1.1}), {place: "source", source: -1, target: 6})
  assert.deepEqual(patch_at("image", tokens, {x: 0, y: 0}), {place: "image", source: 1, target: -1})
  for (const at of [{x: -0.1, y: 0}, {x: 3, y: 0}, {x: 0, y: 2}, {x: NaN, y: 0}]) {
    assert.equal(patch_at("image", tokens, at), NOTHING)
  }
})

test("the nearest point is found in pixels, whatever the scales of the axes", () => {
  // A unit of x has 10 pixels, one of y has 100 and goes down.
  const fig = {x_range: {start: 0, end: 10}, y_range: {start: 1, end: 0}, inner_width: 100, inner_height: 100}
  const points = {x: [2, 1], y: [0.5, 0.6]}
  assert.equal(nearest(fig, points, {x: 1, y: 0.5}, 12), 1)
  assert.equal(nearest(fig, points, {x: 1.6, y: 0.5}, 12), 0)
  assert.equal(nearest(fig, points, {x: 1, y: 0.5}, 9), -1)
  assert.equal(nearest(fig, {x: [], y: []}, {x: 1, y: 0.5}, 9), -1)
})

test("a card stays inside of the figure, on the side where there is room", () => {
  const fig = {outer_width: 300, outer_height: 200}, size = {width: 100, height: 50}
  for (const [sx, sy] of [[0, 0], [299, 199], [150, 100], [150, 101], [20, 150]]) {
    const {left, top} = card_place(fig, {sx, sy, ...size})
    assert.ok(left >= 0 && left + size.width <= 300)
    assert.ok(top >= 0 && top + size.height <= 200)
    assert.ok(top > sy || top + size.height < sy)
  }
})
