for (const item of document.querySelectorAll("script[data-for]")) {
  Bokeh.embed.embed_item(JSON.parse(item.textContent), item.dataset.for)
}
