// Draws what is pointed at, else the token clicked at: its links, its patches, and the image under both its masks.
export default function show_token({
  head, pointed, pinned, names, cls, n_prefix, rows, cols, step, cell_cols, options, crop, grey, darkest, dimming, clear,
  dimmed, masks, scales, ticks, ramps, opaque, kinds, token_kinds, pictures, captions, mark, links, lit, words,
}, cb_context) {
  if (head.data.matrix.length === 0 || head._layout === undefined) return
  const matrix = head._plain, n_tokens = head.data.matrix[0].shape[0], n_patches = rows * cols
  const at = (source, target) => matrix[source * n_tokens + target]
  const [place, source, target] = ["place", "source", "target"].map((name) => pointed.data[name][0])
  const clicked = pinned.data.token[0] < n_tokens ? pinned.data.token[0] : -1
  const base = clicked >= 0 ? clicked : cls

  // A link is read on a mask or in the heatmap; elsewhere it is one token, with what it gives, gets, or both.
  const link = place === "heatmap" ? [source, target]
    : place === "source" ? [base, target] : place === "target" ? [source, base] : null
  const token = link !== null ? -1 : source >= 0 ? source : target >= 0 ? target : clicked
  const [row, col] = place === "heatmap" ? link : token >= 0 ? [token, token] : [base, base]
  const gives = token >= 0 && place !== "targets", gets = token >= 0 && place !== "sources"

  // Without CLS, and no token chosen: where the patches attend to on average.
  const mean_of_patches = () => {
    const sums = new Float64Array(n_tokens)
    for (let i = n_prefix; i < n_tokens; i++) for (let j = 0; j < n_tokens; j++) sums[j] += at(i, j) / n_patches
    return sums
  }
  head._mean ??= cls < 0 ? mean_of_patches() : null
  const given = (i) => (row >= 0 ? at(row, n_prefix + i) : head._mean[n_prefix + i])
  const got = (i) => (col >= 0 ? at(n_prefix + i, col) : 0)
  const is_light = options.data.mask[0] === "heat"
  for (const one of dimmed) one.visible = is_light
  for (const one of clear) one.visible = !is_light
  const image = crop.data.image[0]
  if (head._grey_of !== image) {
    // Bytes are red, green, blue, alpha from the lowest up.
    const pixels = new Uint32Array(image.length)
    for (let i = 0; i < pixels.length; i++) {
      const pixel = image[i], [red, green, blue] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255]
      const shade = Math.round(darkest + dimming * (0.299 * red + 0.587 * green + 0.114 * blue))
      pixels[i] = ((255 << 24) | (shade << 16) | (shade << 8) | shade) >>> 0
    }
    grey.data = {image: [new image.constructor(pixels, image.shape)]}
    head._grey_of = image
  }
  const digits = (value) => Number(value.toPrecision(2)).toString()
  const paint = (name, value, kind, is_known) => {
    let most = 0
    for (let i = 0; i < n_patches; i++) most = Math.max(most, value(i))
    const which = is_light ? kind : "cut-out", ramp = ramps[which], last = ramp.length - 1
    const pixels = new Uint32Array(n_patches)
    for (let i = 0; i < n_patches; i++) {
      const part = most > 0 ? Math.min(Math.max(head._curve(value(i) / most), 0), 1) : 0
      pixels[i] = is_known ? ramp[Math.round(last * part)] : is_light ? 0 : 0x80584a40
    }
    const NumberArray = masks[name].data.mask[0].constructor
    masks[name].data = {mask: [new NumberArray(pixels, [rows, cols])]}
    const strip = is_known ? Uint32Array.from(opaque[which]) : new Uint32Array(last + 1)
    scales[name].data = {image: [new NumberArray(strip, [1, strip.length])]}
    const [low, middle] = [0, 0.5].map((shade) => digits(most * head._inverse(shade)))
    const text = is_known && most > 0 ? [head._inverse(0) > 0 ? `≤ ${low}` : "0", middle, digits(most)] : ["", "", ""]
    ticks[name].data = {...ticks[name].data, text}
  }
  const kind_of = (one) => kinds[one >= 0 ? token_kinds[one] : 0]
  paint("source", given, kind_of(row), true)
  paint("target", got, kind_of(col), col >= 0)
  const short = (one) => names[one].split(" (")[0]
  // The longest words that have room above a picture.
  const fitting = (name, ...texts) => texts.find((text) => text.length * 6 < pictures[name].inner_width) ?? texts[texts.length - 1]
  captions.source.text = row >= 0 ? `${short(row)} attends to` : "mean of all patches"
  captions.target.text = col >= 0
    ? fitting("target", `Patches that attend to ${short(col)}`, `Attend to ${short(col)}`)
    : "no CLS: choose a patch"

  const ends = link ?? [token, token]
  const patches = (link !== null ? ends : [token]).map((one, i) => [one - n_prefix, i])
    .filter(([cell, i]) => cell >= 0 && !(i === 1 && ends[0] === ends[1]))
  mark.patches.data = {
    x: patches.map(([cell]) => (cell % cols) + 0.5),
    y: patches.map(([cell]) => Math.floor(cell / cols) + 0.5),
    dash: patches.map(([, i]) => (i === 1 ? "dotted" : "solid")),
  }
  const rows_of_tokens = [[ends[0], 1], [ends[1], 0]].filter(([one, on]) => one >= 0 && (link !== null || (on === 1 ? gives : gets)))
  mark.tokens.data = {x: rows_of_tokens.map(([one]) => head._x[one]), row: rows_of_tokens.map(([, on]) => on)}
  const cells = head._layout.cells, all = cells[cells.length - 1]
  const span = (one) => {
    const [r, c] = [Math.floor((one - n_prefix) / cols), (one - n_prefix) % cols].map((n) => Math.floor(n / step))
    const index = one < n_prefix ? one : n_prefix + r * cell_cols + c
    return [cells[index], cells[index + 1]]
  }
  const strips = rows_of_tokens.map(([one, on]) => (on === 1 ? [0, all, ...span(one)] : [...span(one), 0, all]))
  mark.cells.data = Object.fromEntries(["left", "right", "top", "bottom"].map((name, i) => [name, strips.map((strip) => strip[i])]))

  const found = {source: [], target: [], value: [], x0: [], x1: []}
  const counts = {out: 0, in: 0}
  if (link !== null && Math.min(...link) >= 0) {
    found.x0.push(head._x[link[0]])
    found.x1.push(head._x[link[1]])
    for (const [name, value] of [["source", link[0]], ["target", link[1]], ["value", at(...link)]]) found[name].push(value)
  } else if (token >= 0) {
    for (const {data} of Object.values(links)) {
      for (let i = 0; i < data.value.length; i++) {
        const is_out = gives && data.source[i] === token, is_in = gets && data.target[i] === token
        if (!is_out && !is_in) continue
        counts.out += is_out
        counts.in += is_in
        for (const name of Object.keys(found)) found[name].push(data[name][i])
      }
    }
  }
  lit.data = found

  // Written into the page itself: a change of the model would lay out the whole page again, at each move of the pointer.
  const say = (html) => {
    words.setv({text: html}, {silent: true})
    if (!words._view?.el.isConnected) words._view = cb_context.index.find_one(words)
    if (words._view?.markup_el) words._view.markup_el.innerHTML = html
  }
  const number = (value) => (value === 0 ? "0" : value.toPrecision(3))
  const plural = (n, words) => `${n.toLocaleString("en")} link${n === 1 ? "" : "s"} ${words}`
  if (link !== null && Math.min(...link) >= 0) {
    say(`${names[link[0]]} → ${names[link[1]]}: <b>${number(at(...link))}</b>`)
  } else if (link !== null) {
    say(target >= 0 ? `mean of all patches → ${names[target]}: <b>${number(head._mean[target])}</b>` : "no CLS: choose a patch")
  } else if (token >= 0) {
    const parts = [gives ? plural(counts.out, "out") : "", gets ? plural(counts.in, "in") : ""].filter((part) => part)
    say(`<b>${names[token]}</b>: ${parts.join(", ")} above the threshold`)
  } else {
    say("Point at a token, a patch or the heatmap to read it; click to keep a token.")
  }
}
