// A card has come: keep it, and show it if its image is still pointed at.
export default function show_card({answer, pointer}) {
  const image = answer.data.image[0], html = answer.data.html[0]
  if (image !== undefined && pointer._card !== undefined) {
    pointer._card.known.set(image, html)
    if (image === pointer.data.image[0]) pointer._card.show(html)
  }
}
