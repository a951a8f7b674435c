import assert from "node:assert/strict"
import test from "node:test"
import {read, themed} from "../../vitpanel/views/js/colours.js"

const colours = read(JSON.stringify({
  colours: {"#111": "#eee", "#222": "#eee"}, ramps: [[["#111", "#fff"], ["#333", "#000"]]], light: {}, dark: {},
}))

test("a colour becomes its counterpart and returns, to the first where two have the same", () => {
  assert.equal(themed("#111", colours, "dark"), "#eee")
  assert.equal(themed("#eee", colours, "light"), "#111")
  assert.equal(themed("#abc", colours, "dark"), undefined)
})

test("a ramp is exchanged as a whole, other columns colour by colour", () => {
  assert.deepEqual(themed(["#111", "#fff"], colours, "dark"), ["#333", "#000"])
  assert.deepEqual(themed(["#333", "#000"], colours, "light"), ["#111", "#fff"])
  assert.deepEqual(themed(["#111", "#abc"], colours, "dark"), ["#eee", "#abc"])
  assert.equal(themed(["#abc", "#def"], colours, "dark"), undefined)
})

test("what Bokeh has as a value keeps what else it says, and nothing else is a colour", () => {
  assert.deepEqual(themed({value: "#111", units: "data"}, colours, "dark"), {value: "#eee", units: "data"})
  const others = [null, undefined, 3, [], [1, 2], {field: "#111"}]
  for (const other of others) assert.equal(themed(other, colours, "dark"), undefined)
})
