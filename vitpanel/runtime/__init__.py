"""Between Bokeh, Panel and Jupyter and what is ours: guards of the server, patches, the notebook, scripts."""
