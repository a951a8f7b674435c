// How the page looks, before anything of it is seen: the address says it; else what was chosen last in this browser; else,
// of light and dark, what the system has.
import {kept} from "./kept.js"

{
  const asked = new URLSearchParams(window.location.search), {classList} = document.documentElement
  const chosen = (/** @type {string} */ name, /** @type {string[]} */ known) =>
    [asked.get(name), kept(name)].find((text) => text !== null && known.includes(text))
  const of_system = () => window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
  classList.toggle("vp-large", chosen("type", ["normal", "large"]) === "large")
  classList.toggle("vp-dark", (chosen("theme", ["light", "dark"]) ?? of_system()) === "dark")
}
