import assert from "node:assert/strict"
import test from "node:test"
import {notes_about} from "../../vitpanel/views/figures/js/notes.js"

test("scripts of one subject share their notes on a model, as if each had been compiled by itself", () => {
  const model = {}
  notes_about("a subject", () => ({n: 0}))(model).n = 3
  assert.equal(notes_about("a subject", () => ({n: 0}))(model).n, 3)
  assert.equal(notes_about("a subject", () => ({n: 0}))({}).n, 0)
  assert.equal(notes_about("another", () => ({n: 0}))(model).n, 0)
  assert.deepEqual(Object.keys(model), [])
})
