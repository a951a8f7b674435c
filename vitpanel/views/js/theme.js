// Which theme the page around has: our own page's, JupyterLab's, that of VS Code or of Colab.

/** @typedef {"dark" | "light"} Theme */

/** @returns {Theme} */
export function theme() {
  const {documentElement: root, body} = document
  const is_dark =
    root.classList.contains("vp-dark") ||
    body.dataset.jpThemeLight === "false" ||
    /^vscode-(dark|high-contrast$)/.test(body.dataset.vscodeThemeKind ?? "") ||
    root.getAttribute("theme") === "dark"
  return is_dark ? "dark" : "light"
}

/**
 * Call a function whenever the theme changes; what is returned ends that.
 *
 * @param {() => void} callback
 */
export function on_theme(callback) {
  let last = theme()
  const observer = new MutationObserver(() => {
    if (theme() === last) return
    last = theme()
    callback()
  })
  for (const el of [document.documentElement, document.body]) observer.observe(el, {attributes: true})
  return () => observer.disconnect()
}
