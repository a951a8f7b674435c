import assert from "node:assert/strict"
import test from "node:test"
import {resized, set_type_size} from "../../vitpanel/views/js/type_size.js"

/**
 * @param {Record<string, any>} values
 * @returns {any}
 */
function model_of(values) {
  return {
    values,
    setv(/** @type {Record<string, any>} */ changed) { Object.assign(values, changed) },
    *[Symbol.iterator]() {
      for (const attr of Object.keys(values)) yield {attr, is_unset: false, get_value: () => values[attr]}
    },
  }
}

test("a size keeps its unit and what else Bokeh says of it", () => {
  assert.equal(resized("10px", 1.5), "15px")
  assert.equal(resized("0.9em", 1.1), "1em")
  assert.deepEqual(resized({value: "10px", units: "x"}, 2), {value: "20px", units: "x"})
  for (const other of [undefined, null, 3, "large", {field: "size"}]) assert.equal(resized(other, 2), undefined)
})

test("type becomes larger once and returns to what it was", () => {
  const model = model_of({text_font_size: {value: "10px"}, title_font_size: "11px", text: "12px"})
  for (const is_large of [false, true, true]) set_type_size(model, is_large)
  assert.deepEqual(model.values, {text_font_size: {value: "13.5px"}, title_font_size: "14.9px", text: "12px"})
  for (const is_large of [false, false]) set_type_size(model, is_large)
  assert.deepEqual(model.values, {text_font_size: {value: "10px"}, title_font_size: "11px", text: "12px"})
})
