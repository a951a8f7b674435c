import {is_heard} from "../../runtime/js/heard.js"

// What the result of a cell does besides its views. NOTE stands for the id of a note that is hidden.
{
  const patience_ms = 3000, page = /** @type {any} */ (window)
  // What Panel sends from a notebook to Python includes what a script has set with `sync: false`, like the colours of
  // the theme (`_document_changed` in https://github.com/holoviz/panel/blob/v1.9.4/panel/models/comm_manager.ts): there
  // they would be refused, or stay for good. Can go when Panel looks at it, as Bokeh's own sessions do.
  const keep_here = () => {
    const manager = page.Bokeh?.Models.get("panel.models.comm_manager.CommManager")?.prototype
    if (!manager || manager.vitpanel_keeps) return Boolean(manager)
    const told = manager._document_changed
    manager.vitpanel_keeps = true
    manager._document_changed = function(/** @type {{sync?: boolean}} */ event) {
      if (event.sync !== false) told.call(this, event)
    }
    return true
  }
  if (!keep_here()) {
    const timer = setInterval(() => { if (keep_here()) clearInterval(timer) }, 10)
  }
  setTimeout(() => {
    const note = document.getElementById("NOTE")
    if (note && !is_heard()) note.hidden = false
  }, patience_ms)
}
