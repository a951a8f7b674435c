import assert from "node:assert/strict"
import test from "node:test"
import {LARGER, LITTLE_LARGER, resized, set_type_size} from "../../vitpanel/views/js/type_size.js"

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

test("type becomes larger once, by another factor from what it was, and returns to that", () => {
  const sizes = {text_font_size: {value: "10px"}, title_font_size: "11px", axis_label_text_font_size: "12px", text: "12px"}
  const model = model_of({...sizes})
  for (const factors of [null, LARGER, LARGER]) set_type_size(model, factors)
  assert.deepEqual(model.values, {
    text_font_size: {value: "13.5px"}, title_font_size: "14.9px", axis_label_text_font_size: "16.2px", text: "12px",
  })
  set_type_size(model, LITTLE_LARGER)
  assert.deepEqual(model.values, {
    text_font_size: {value: "12px"}, title_font_size: "13.2px", axis_label_text_font_size: "13.2px", text: "12px",
  })
  for (const factors of [null, null]) set_type_size(model, factors)
  assert.deepEqual(model.values, sizes)
})

test("a title is one whatever its property is called", () => {
  const model = {...model_of({text_font_size: "10px"}), type: "Title"}
  set_type_size(model, LITTLE_LARGER)
  assert.deepEqual(model.values, {text_font_size: "11px"})
})
