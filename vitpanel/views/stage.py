"""What a view does in the browser alone: follow the theme, fill the page, save its charts as files."""

import json
from importlib.resources import files

import param
from bokeh.plotting import figure
from panel.custom import JSComponent

from vitpanel.views.palette import css_variables, dark_colours, dark_ramps


class Stage(JSComponent):
    """Has no look of its own; stands in the header of a view and acts on the `pmui.Paper` around it.

    The theme is that of the page (or of the notebook); colours of figures are exchanged in the browser, so that
    neither the server nor the figures hear of it. Colours there and in a source's columns ("colour" in their names)
    are those on light ground, and so are the ones that Python writes later.
    """

    dark = param.Boolean(default=False, doc="Whether the ground is dark; told by the browser.")
    maximised = param.Boolean(default=False, doc="Whether the view fills the page; Esc makes it False.")
    colours = param.String(default="{}", doc="What colours become on dark ground, as JSON.")

    _esm = files("vitpanel.views").joinpath("js", "stage.js").read_text(encoding="utf-8")

    @classmethod
    def for_layers(cls, n_layers: int) -> "Stage":
        """Stage for views of a model with so many layers."""
        colours = {
            "colours": dark_colours(n_layers),
            "ramps": dark_ramps(),
            "light": css_variables(dark=False),
            "dark": css_variables(dark=True),
        }
        return cls(colours=json.dumps(colours), width=0, height=0, margin=0)

    def save_figure(self, fig: figure, *, kind: str, file: str) -> None:
        """Let the browser save a figure as ``"png"`` or ``"svg"``, as it is seen."""
        self._send_msg({"kind": kind, "figure": fig.id, "file": file})

    def save_text(self, text: str, *, file: str) -> None:
        """Let the browser save a CSV."""
        self._send_msg({"kind": "csv", "text": text, "file": file})
