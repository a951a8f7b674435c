// Tells the server what is in sight while it still moves, not only when it has come to rest.
export default function tell_ranges({fig, pause}, cb_context) {
  if (fig.vitpanel_waits) return
  fig.vitpanel_waits = true
  const tell = () => {
    fig.vitpanel_waits = false
    cb_context.index.find_one(fig)?.trigger_ranges_update_event()
  }
  const since = Date.now() - (fig.vitpanel_told ?? 0)
  fig.vitpanel_told = Date.now() + Math.max(0, pause - since)
  setTimeout(tell, Math.max(0, pause - since))
}
