// What this browser keeps for all pages of this server. One that keeps nothing, since its user wants that or since the page
// is within another site's, is asked in vain and told in vain.
const PREFIX = "vitpanel."

/** @param {string} name */
export function kept(name) {
  try {
    return window.localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

/** @param {string} name @param {string} text */
export function keep(name, text) {
  try {
    window.localStorage.setItem(PREFIX + name, text)
  } catch {}  // it is as it was on the next page
}
