// Parts of a page, and pens for its canvases.

/**
 * @template {"button" | "canvas" | "div" | "input" | "label" | "small" | "span" | "textarea"} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} properties
 * @param {(Node | string)[]} children
 */
export function create(name, properties, ...children) {
  const el = document.createElement(name)
  Object.assign(el, properties)
  el.append(...children)
  return el
}

/** @param {HTMLCanvasElement} canvas */
export function pen_on(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
}
