// Brings the font of the icons into the page, once.
const FAMILY = "Material Icons"

/** @param {{model: Component<{font: string}>}} args */
export function render({model}) {
  // Some browsers write a family's name in quotes.
  if ([...document.fonts].some((face) => face.family.replaceAll('"', "") === FAMILY)) return
  document.fonts.add(new FontFace(FAMILY, `url(${model.font})`))
}
