import assert from "node:assert/strict"
import test from "node:test"
import {SET, attention_of, mean_of_patches, reading_of} from "../../vitpanel/views/figures/js/reading.js"
import {columns_of_link, links_of_tokens, strongest_links} from "../../vitpanel/views/figures/js/reading_links.js"
import {
  caption_of_sources, caption_of_targets, name_of, words_of_reading,
} from "../../vitpanel/views/figures/js/reading_words.js"

const NOWHERE = {place: "", source: -1, target: -1}

test("without a pointer, the token that was clicked is read, else CLS on the masks", () => {
  const clicked = reading_of(NOWHERE, {clicked: 5, cls: 0, has_set: false})
  assert.deepEqual([clicked.link, clicked.token, clicked.row, clicked.col], [null, 5, 5, 5])
  const cls = reading_of(NOWHERE, {clicked: -1, cls: 0, has_set: false})
  assert.deepEqual([cls.link, cls.token, cls.row, cls.col, cls.gives, cls.gets], [null, -1, 0, 0, false, false])
})

test("a token on a row is read in one direction", () => {
  const gives = reading_of({place: "sources", source: 3, target: -1}, {clicked: 5, cls: 0, has_set: false})
  assert.deepEqual([gives.token, gives.gives, gives.gets], [3, true, false])
  const gets = reading_of({place: "targets", source: -1, target: 3}, {clicked: 5, cls: 0, has_set: false})
  assert.deepEqual([gets.token, gets.gives, gets.gets], [3, false, true])
})

test("a mask is read against the token that it shows", () => {
  assert.deepEqual(reading_of({place: "source", source: -1, target: 7}, {clicked: 5, cls: 0, has_set: false}).link, [5, 7])
  assert.deepEqual(reading_of({place: "source", source: -1, target: 7}, {clicked: -1, cls: -1, has_set: false}).link, [-1, 7])
  assert.deepEqual(reading_of({place: "target", source: 7, target: -1}, {clicked: -1, cls: 0, has_set: false}).link, [7, 0])
})

test("the brushed tokens are read where no token is pointed at or kept", () => {
  const others = {clicked: -1, cls: 0, has_set: true}
  const set = reading_of(NOWHERE, others)
  assert.deepEqual([set.link, set.token, set.row, set.col, set.gives, set.gets], [null, SET, SET, SET, true, true])
  assert.deepEqual(reading_of({place: "source", source: -1, target: 7}, others).link, [SET, 7])
  assert.deepEqual(reading_of({place: "target", source: 7, target: -1}, others).link, [7, SET])
  assert.equal(reading_of(NOWHERE, {...others, clicked: 5}).token, 5)
  assert.equal(reading_of({place: "image", source: 3, target: -1}, others).row, 3)
})

test("the brushed tokens give their mean and get their sum", () => {
  const known = {plain: [1, 0, 0, 0.5, 0.25, 0.25, 0, 0.5, 0.5], n_tokens: 3, mean: [0.1, 0.2, 0.3], brushed: [1, 2]}
  assert.equal(attention_of([SET, 1], known), (0.25 + 0.5) / 2)
  assert.equal(attention_of([1, SET], known), 0.25 + 0.25)
  assert.equal(attention_of([1, 0], known), 0.5)
  assert.equal(attention_of([-1, 1], known), 0.2)
  assert.equal(attention_of([1, -1], known), null)
})

test("the links of some tokens are those that begin or end at one of them", () => {
  const columns = {source: [0, 1, 2, 3], target: [3, 2, 0, 0], value: [1, 2, 3, 4], x0: [0, 1, 2, 3], x1: [3, 2, 0, 0]}
  const {found, counts} = links_of_tokens([columns], {own: new Set([1, 2]), gives: true, gets: true})
  assert.deepEqual([found.value, counts], [[2, 3], {out: 2, in: 1}])
})

test("in the heatmap the masks show the two tokens of the link", () => {
  const read = reading_of({place: "heatmap", source: 2, target: 4}, {clicked: 5, cls: 0, has_set: false})
  assert.deepEqual([read.link, read.row, read.col, read.token], [[2, 4], 2, 4, -1])
})

test("the mean is over patches as sources, and over all tokens as targets", () => {
  const matrix = [1, 0, 0, 0.5, 0.25, 0.25, 0, 0.5, 0.5]
  assert.deepEqual([...mean_of_patches(matrix, {n_tokens: 3, n_prefix: 1})], [0.25, 0.375, 0.375])
})

test("a token's link to itself counts in both directions and is highlighted once", () => {
  const columns = {source: [1, 1, 2], target: [1, 2, 1], value: [0.1, 0.2, 0.3], x0: [0, 0, 1], x1: [0, 1, 0]}
  const both = links_of_tokens([columns], {own: new Set([1]), gives: true, gets: true})
  assert.deepEqual(both.counts, {out: 2, in: 2})
  assert.deepEqual(both.found.value, [0.1, 0.2, 0.3])
  const gets = links_of_tokens([columns], {own: new Set([1]), gives: false, gets: true})
  assert.deepEqual(gets.found.value, [0.1, 0.3])
  assert.deepEqual(gets.counts, {out: 0, in: 2})
})

test("a token without a link above the threshold has its strongest three in each direction", () => {
  const plain = Array.from({length: 25}, (_, i) => i / 100), x = [0, 1, NaN, 3, 4]
  const both = strongest_links(1, {gives: true, gets: true}, {plain, n_tokens: 5, x})
  assert.deepEqual(both.source, [1, 1, 1, 4, 3, 0])
  assert.deepEqual(both.target, [4, 3, 1, 1, 1, 1])
  assert.deepEqual(both.value, [0.09, 0.08, 0.06, 0.21, 0.16, 0.01])
  assert.deepEqual([both.x0[0], both.x1[0]], [1, 4])
  assert.deepEqual(strongest_links(0, {gives: false, gets: true}, {plain, n_tokens: 5, x}).source, [4, 3, 1])
})

test("a link has the columns of links, and its ends where its tokens stand", () => {
  const columns = columns_of_link([2, 0], {value: 0.3, x: [5, 6, 7]})
  assert.deepEqual(columns, {source: [2], target: [0], value: [0.3], x0: [7], x1: [5]})
})

test("the brushed tokens have a name, one of them its own", () => {
  assert.equal(name_of(SET, {names: ["CLS", "patch 0"], brushed: [0, 1]}), "2 brushed tokens")
  assert.equal(name_of(SET, {names: ["CLS", "patch 0"], brushed: [1]}), "patch 0")
  assert.equal(name_of(-1, {names: ["CLS"], brushed: [0]}), undefined)
  assert.equal(caption_of_sources("12 brushed tokens", 1000), "12 brushed tokens attend to")
  assert.equal(caption_of_sources("12 brushed tokens", 100), "12 brushed attend to")
  assert.equal(caption_of_targets("12 brushed tokens", 100), "Attend to 12 brushed")
})

const names = ["CLS", "patch 0 (row 0, column 0)", "patch 1 (row 0, column 1)"]
const nothing = {link: null, token: -1, gives: false, gets: false}
const words = (read, known) => words_of_reading({...nothing, ...read}, {names, brushed: [], value: null, counts: null, ...known})

test("a link is said with its value, the mean where it has no source, and what to do where it has no target", () => {
  assert.equal(words({link: [1, 0]}, {value: 0.12345}), "patch 0 (row 0, column 0) → CLS: <b>0.123</b>")
  assert.equal(words({link: [1, 0]}, {value: 0}), "patch 0 (row 0, column 0) → CLS: <b>0</b>")
  assert.equal(words({link: [-1, 2]}, {value: 0.5}), "mean of all patches → patch 1 (row 0, column 1): <b>0.500</b>")
  assert.equal(words({link: [2, -1]}, {value: null}), "no CLS: choose a patch")
})

test("a link of the brushed tokens says whether it is a mean or a sum", () => {
  const set = {brushed: [0, 1]}
  assert.equal(words({link: [SET, 2]}, {...set, value: 0.5}), `2 brushed tokens → ${names[2]}: <b>0.500</b> on average`)
  assert.equal(words({link: [2, SET]}, {...set, value: 0.5}), `${names[2]} → 2 brushed tokens: <b>0.500</b> in all`)
  const read = {token: SET, gives: true, gets: true}
  assert.match(words(read, {...set, counts: {out: 1, in: 2}}), /^<b>2 brushed tokens<.b>: 1 link out, 2 in/)
})

test("a token is said with its links in the directions that are read", () => {
  const both = {token: 0, gives: true, gets: true}
  assert.equal(words(both, {counts: {out: 1, in: 1200}}), "<b>CLS</b>: 1 link out, 1,200 in above the threshold")
  assert.equal(words({...both, gets: false}, {counts: {out: 0, in: 0}}), "<b>CLS</b>: 0 links out above the threshold; its strongest are drawn")
  assert.match(words({}, {}), /^Point at/)
})

test("captions are short where there is no room", () => {
  assert.equal(caption_of_sources("patch 0 (row 0, column 0)", 100), "patch 0 attends to")
  assert.equal(caption_of_sources(undefined, 100), "mean of all patches")
  assert.equal(caption_of_targets("CLS", 1000), "Patches that attend to CLS")
  assert.equal(caption_of_targets("CLS", 100), "Attend to CLS")
  assert.equal(caption_of_targets(undefined, 100), "no CLS: choose a patch")
})
