// Larger type on the whole page. Charts follow the class of the page by themselves (views/js/type_size.js); every other size
// is one of a stylesheet, most of them in the shadow of a component and some not ours, and is multiplied there.
const CLASS = "vp-large", FACTOR = "var(--vp-type, 1)", SIZE = /^([1-9][\d.]*)px$/

/** Sheets whose sizes are multiplied, and roots that are watched. @type {WeakSet<object>} */
const known = new WeakSet()
/** @type {Set<Document | ShadowRoot>} roots in which something has changed */
const changed = new Set()

/** @param {CSSStyleDeclaration} style */
function multiply(style) {
  for (const name of ["font-size", "line-height"]) {
    const [, size] = SIZE.exec(style.getPropertyValue(name)) ?? []
    if (size !== undefined) style.setProperty(name, `calc(${size}px * ${FACTOR})`, style.getPropertyPriority(name))
  }
}

/** @param {CSSRuleList} rules */
function multiply_all(rules) {
  for (const rule of rules) {
    if (rule instanceof CSSGroupingRule) multiply_all(rule.cssRules)
    if (rule instanceof CSSStyleRule) multiply(rule.style)
  }
}

/** @param {Document | ShadowRoot} root */
function grow(root) {
  for (const sheet of [...root.styleSheets, ...root.adoptedStyleSheets]) {
    if (known.has(sheet)) continue
    known.add(sheet)
    multiply_all(sheet.cssRules)
  }
  for (const el of root.querySelectorAll("[style*=font]")) multiply(/** @type {HTMLElement} */ (el).style)
  for (const link of root.querySelectorAll("link")) {
    if (link.rel === "stylesheet" && link.sheet === null) link.addEventListener("load", () => look_again(root), {once: true})
  }
  if (!known.has(root)) {
    known.add(root)
    observer.observe(root, {childList: true, subtree: true})
  }
  for (const {shadowRoot} of root.querySelectorAll("*")) {
    if (shadowRoot !== null && !known.has(shadowRoot)) grow(shadowRoot)
  }
}

/** @param {Document | ShadowRoot} root */
function look_again(root) {
  // Much comes at once, and sheets with what they are for.
  if (changed.size === 0) {
    setTimeout(() => {
      const roots = [...changed]
      changed.clear()
      for (const each of roots) grow(each)
    }, 50)
  }
  changed.add(root)
}

const observer = new MutationObserver((records) => {
  for (const {target} of records) {
    const root = target.getRootNode()
    if (root instanceof Document || root instanceof ShadowRoot) look_again(root)  // else it is on the page no more
  }
})

/** @param {boolean} is_large */
export function set_larger_type(is_large) {
  document.documentElement.classList.toggle(CLASS, is_large)
  if (is_large) grow(document)
}
