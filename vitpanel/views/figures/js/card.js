// A card beside the pointer: an element in a figure. It is no Bokeh model, since a change of one lays out the whole page.

/**
 * @param {Figure} fig
 * @param {string} style
 */
export function create_card(fig, style) {
  const card = document.createElement("div")
  card.style.cssText = style
  card.hidden = true
  Bokeh.index.find_one_by_id(fig.id).shadow_el.append(card)
  return card
}

/**
 * Puts a card above or below the pointer, where there is more room, and inside of the figure.
 *
 * @param {HTMLElement} card
 * @param {Figure} fig
 * @param {{sx: number, sy: number, width: number, height: number}} place of the pointer, and size of the card
 */
export function place_card(card, fig, {sx, sy, width, height}) {
  const {left, top} = card_place(fig, {sx, sy, width, height})
  card.style.left = `${left}px`
  card.style.top = `${top}px`
}

/**
 * @param {{outer_width: number, outer_height: number}} fig
 * @param {{sx: number, sy: number, width: number, height: number}} place
 */
export function card_place({outer_width, outer_height}, {sx, sy, width, height}) {
  const left = Math.max(0, Math.min(sx - width / 2, outer_width - width))
  return {left, top: sy > outer_height / 2 ? sy - height - 14 : sy + 14}
}
