// Elements, in whatever shadow they are.

/**
 * The first element that fits, going through shadow roots too.
 *
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function found(root, selector) {
  const own = /** @type {HTMLElement | null} */ (root.querySelector(selector))
  if (own !== null) return own
  for (const {shadowRoot} of root.querySelectorAll("*")) {
    const inner = shadowRoot === null ? null : found(shadowRoot, selector)
    if (inner !== null) return inner
  }
  return null
}
