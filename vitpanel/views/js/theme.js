// Which theme the page around has: our own page's, JupyterLab's, that of VS Code or of Colab.
import {watch} from "./watch.js"

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
export const on_theme = (callback) => watch(theme, callback)
