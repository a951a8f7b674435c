import assert from "node:assert/strict"
import test from "node:test"
import {blank_pixels, grey_pixels, ramp_pixels} from "../../vitpanel/views/figures/js/pixels.js"
import {threshold_words} from "../../vitpanel/views/figures/js/threshold_words.js"

test("grey has the brightness of the colour, and is opaque", () => {
  // Red 200, green 100, blue 50: 0.299 × 200 + 0.587 × 100 + 0.114 × 50 = 124.2
  const [pixel] = grey_pixels([0x003264c8], {darkest: 10, dimming: 0.5})
  assert.equal(pixel, 0xff484848)
})

test("the largest value has the last colour, and values that the curve leaves below have the first", () => {
  const ramp = [11, 22, 33]
  assert.deepEqual([...ramp_pixels([0, 2, 4], {ramp, curve: (part) => part})], [11, 22, 33])
  assert.deepEqual([...ramp_pixels([0, 2, 4], {ramp, curve: (part) => part - 2})], [11, 11, 11])
  assert.deepEqual([...ramp_pixels([0, 0], {ramp, curve: () => 1})], [11, 11])
})

test("what is not known is seen through, or veiled", () => {
  assert.deepEqual([...blank_pixels(2, true)], [0, 0])
  assert.equal(blank_pixels(1, false)[0] >>> 24, 0x80)
})

test("a share is written with as many places as it needs", () => {
  const share = (above) => threshold_words(0.5, {above, n_drawn: above, n_values: 100000}).units["top %"]
  assert.deepEqual([50000, 1234, 95, 94].map(share), ["top 50 %", "top 1.2 %", "top 0.1 %", "top 0.09 %"])
})

test("it is said when fewer links are drawn than there are", () => {
  const words = (above, n_drawn) => threshold_words(0.5, {above, n_drawn, n_values: 40000}).links
  assert.equal(words(9000, 6000), "Links: the 6,000 strongest of 9,000")
  assert.equal(words(5, 5), "Links: 5 of 40,000")
})
