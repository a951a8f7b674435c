import assert from "node:assert/strict"
import test from "node:test"
import {place_beside} from "../../vitpanel/app/js/tour.js"

const SIZE = {width: 300, height: 150}, WINDOW = [1280, 720]
const placed = (/** @type {number[]} */ [left, top, right, bottom]) => place_beside({left, top, right, bottom}, SIZE, WINDOW)

test("words stand beside what they are about, and cover nothing of it where there is room", () => {
  assert.deepEqual(placed([0, 40, 320, 330]), {x: 330, y: 40}, "right")
  assert.deepEqual(placed([630, 340, 1280, 720]), {x: 320, y: 340}, "left")
  assert.deepEqual(placed([0, 40, 1280, 330]), {x: 6, y: 340}, "below")
  assert.deepEqual(placed([0, 340, 1280, 720]), {x: 6, y: 180}, "above")
})

test("they never leave the window", () => {
  assert.deepEqual(placed([0, 640, 320, 720]), {x: 330, y: 564})
  assert.deepEqual(placed([0, 0, 1280, 720]), {x: 974, y: 564})
})
