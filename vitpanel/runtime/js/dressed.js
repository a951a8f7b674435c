// A component on a page that has its script and its style once for all.

/**
 * Let a component have a style, which all that are like it share.
 *
 * @template {{el: HTMLElement}} Props
 * @template Result
 * @param {(props: Props) => Result} render
 * @param {string} css
 * @returns {(props: Props) => Result}
 */
export function dressed(render, css) {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return (props) => {
    const {adoptedStyleSheets: sheets} = /** @type {ShadowRoot} */ (props.el.getRootNode())
    if (!sheets.includes(sheet)) sheets.push(sheet)
    return render(props)
  }
}
