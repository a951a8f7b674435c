// A card has come: keep it, and show it if its image is still pointed at.
const image = answer.data.image[0], html = answer.data.html[0]
if (image !== undefined) {
  if (pointer.tags.length === 0) pointer.setv({tags: [new Map()]}, {sync: false})
  pointer.tags[0].set(image, html)
  if (image === pointer.data.image[0]) card.setv({text: html, visible: true}, {sync: false})
}
