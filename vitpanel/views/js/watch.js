// What the page around says of itself by classes and attributes.

/**
 * Call a function whenever what is read from the page changes; what is returned ends that.
 *
 * @param {() => unknown} read
 * @param {() => void} callback
 */
export function watch(read, callback) {
  let last = read()
  const observer = new MutationObserver(() => {
    if (read() === last) return
    last = read()
    callback()
  })
  for (const el of [document.documentElement, document.body]) observer.observe(el, {attributes: true})
  return () => observer.disconnect()
}
