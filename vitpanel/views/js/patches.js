// What is mended of Bokeh in the browser, for all views of a page at once; nothing where its inside is not known.

/** @param {any} view of a layout */
export function apply_patches(view) {
  if (!Bokeh.version.startsWith("3.9.")) return
  spare_stylesheets(view)
  hear_of_figures(view)
  bear_early_news()
  spare_css_variables(view)
  begin_drags_late(view)
}

/**
 * Bokeh 3.9 writes the stylesheet of each renderer anew whenever it paints it, and the browser then computes the styles
 * of the page again. To leave a stylesheet alone that says the same already makes painting two to three times faster.
 *
 * @param {any} view
 */
function spare_stylesheets(view) {
  let styles = view.display
  while (styles && !Object.hasOwn(styles, "_update")) styles = Object.getPrototypeOf(styles)
  if (!styles || styles._update.spares) return
  const update = styles._update
  styles._update = function (/** @type {string} */ css) {
    if (this.el.textContent !== css) update.call(this, css)
  }
  styles._update.spares = true
}

/**
 * Bokeh 3.9 notes the sizes of all that a layout contains when one of them changes, but places and paints anew only if
 * the layout's own has changed; a figure inside then keeps the picture of its old size for good. Here it hears of it.
 *
 * @param {any} view
 */
function hear_of_figures(view) {
  const owner = (/** @type {string} */ name) => {
    let proto = view
    while (!Object.hasOwn(proto, name)) proto = Object.getPrototypeOf(proto)
    return proto
  }
  const element = owner("_update_bbox"), layout = owner("update_bbox")
  const {_update_bbox} = element, {update_bbox} = layout
  if (update_bbox.hears) return
  let n_changed = 0
  element._update_bbox = function () {
    const is_changed = _update_bbox.call(this)
    if (is_changed && this.canvas_view !== undefined) n_changed++
    return is_changed
  }
  layout.update_bbox = function () {
    const before = n_changed
    return update_bbox.call(this) || n_changed > before
  }
  layout.update_bbox.hears = true
}

/**
 * What is added to a page is first built and then drawn, and messages of the server may come in between. Widgets of
 * Bokeh 3.9 then write what is new into an element that they make when they are drawn, and fail. Here they have
 * one before: it is never shown, and what is drawn says what holds then.
 */
function bear_early_news() {
  const create = (/** @type {string} */ tag) => document.createElement(tag)
  const early = {
    Select: {input_el: create("select")}, TextInput: {input_el: create("input")},
    Toggle: {button_el: create("button")}, RadioButtonGroup: {_buttons: []},
  }
  for (const [name, elements] of Object.entries(early)) {
    Object.assign(Bokeh.Models.get(name)?.prototype.default_view.prototype ?? {}, elements)
  }
}

/**
 * Bokeh 3.9 asks the page's CSS for every colour, width and font of an axis, a grid or a title before it takes the one
 * that the figure has, at each measuring and painting, and the browser must know all styles of the page each time: a
 * quarter of the time in which the page opens. The figures of views have no such CSS; those of others are left alone.
 *
 * @param {any} view
 */
function spare_css_variables(view) {
  const figure = figure_in(view)
  if (figure === undefined) return
  let visuals = figure.visuals.outline_line
  while (!Object.hasOwn(visuals, "_get_css_value")) visuals = Object.getPrototypeOf(visuals)
  const {_get_css_value} = visuals
  if (_get_css_value.spares) return
  visuals._get_css_value = function (/** @type {string} */ name) {
    this.is_spared ||= is_in_view(this.obj)
    return this.is_spared ? "" : _get_css_value.call(this, name)
  }
  visuals._get_css_value.spares = true
}

/**
 * Bokeh 3.9 takes a button that is held for 300 ms before the pointer moves for a press, and what follows for no drag.
 * Nothing in views answers to a press; there a drag may begin at any time.
 *
 * @param {any} view
 */
function begin_drags_late(view) {
  const gestures = figure_in(view)?.canvas_view.ui_event_bus.ui_gestures
  if (gestures === undefined) return
  const proto = Object.getPrototypeOf(gestures), {_pointer_timeout} = proto
  if (_pointer_timeout.spares) return
  proto._pointer_timeout = function () {
    if (is_in_view(this.handlers.canvas_view)) this.press_timer = null
    else _pointer_timeout.call(this)
  }
  proto._pointer_timeout.spares = true
}

/** @param {any} view */
function is_in_view(view) {
  while (view && !view.model?.css_classes?.includes("vp-view")) view = view.parent
  return Boolean(view)
}

/**
 * @param {any} view of a layout
 * @returns {any} view of the first figure in it that has been built
 */
function figure_in(view) {
  if (view.canvas_view !== undefined) return view
  for (const child of view.child_views ?? []) {
    const found = figure_in(child)
    if (found !== undefined) return found
  }
}
