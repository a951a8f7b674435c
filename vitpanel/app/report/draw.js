// The figures of a page that needs no server; each stands in the page as what Bokeh is told of it.
for (const item of document.querySelectorAll("script[data-for]")) {
  const place = item.getAttribute("data-for"), figure = JSON.parse(/** @type {string} */ (item.textContent))
  Bokeh.embed.embed_item(figure, place)
}
