"""Guards of the server: what Bokeh, Panel and Tornado leave open by default."""
