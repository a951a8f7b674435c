"""Small buttons on a map: what a drag means, and everything the wheel does, without a pointer."""

from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from vitpanel.state.selection import Selection
from vitpanel.views.base import PRESSED
from vitpanel.views.figures.pattern_map import PatternFigure

_SIDE = 26
N_NEIGHBOURS = 100
# The button that has been released for another one must not take the drag from it.
_DRAG = """
if (cb_obj.value) toolbar.active_drag = own
else if (toolbar.active_drag === own) toolbar.active_drag = move
"""
# The icon of a switch has a grey of its own, dim on a dark ground.
SWITCH = {
    "padding": "4px",
    "& .MuiIcon-root": {"color": "text.primary"},
    "&.Mui-checked": PRESSED,
    "&.Mui-checked .MuiIcon-root": {"color": PRESSED["color"]},
}


class MapTools(pn.viewable.Viewer):
    """A row of buttons above a map.

    Parameters
    ----------
    selection
        Whose ``cloud`` one of the buttons sets.
    plot
        Whose drags the browser exchanges by itself, so that the next drag means what the button says.
    """

    def __init__(self, selection: Selection, plot: PatternFigure, **params: Any) -> None:
        super().__init__(**params)
        look: dict[str, Any] = {"size": "small", "width": _SIDE, "height": _SIDE, "margin": 0, "icon_size": "17px"}
        self.zoom_in = pmui.IconButton(icon="add", description="Zoom in about the chosen head", **look)
        self.zoom_out = pmui.IconButton(icon="remove", description="Zoom out", **look)
        self.home = pmui.IconButton(icon="zoom_out_map", description="Show all", **look)
        switch = look | {"color": "default", "sx": SWITCH}
        self.lasso = pmui.ToggleIcon(icon="gesture", description="Select a cluster with a lasso", **switch)
        self.box = pmui.ToggleIcon(icon="highlight_alt", description="Select a cluster with a box", **switch)
        around = f"Select the {N_NEIGHBOURS} heads most like the chosen one"
        self.around = pmui.IconButton(icon="hub", description=around, **look)
        self.cloud = pmui.ToggleIcon(
            icon="lightbulb", description="Highlight the chosen head on all images", value=selection.cloud, **switch
        )
        for name, toggle, other in (("lasso", self.lasso, self.box), ("box", self.box, self.lasso)):
            args = {"toolbar": plot.figure.toolbar, "own": plot.drags[name], "move": plot.drags["move"]}
            toggle.jscallback(args=args, value=_DRAG)
            toggle.param.watch(partial(self._on_toggle, other), "value")
        self.cloud.param.watch(lambda event: selection.param.update(cloud=event.new), "value")
        selection.param.watch(lambda event: self.cloud.param.update(value=event.new), "cloud")

    def _on_toggle(self, other: pmui.ToggleIcon, event: param.parameterized.Event) -> None:
        if event.new:
            other.value = False

    def __panel__(self) -> pn.viewable.Viewable:
        """Lay the buttons out side by side."""
        buttons = (self.zoom_in, self.zoom_out, self.home, self.lasso, self.box, self.around, self.cloud)
        return pn.Row(*buttons, sizing_mode="stretch_width", height=_SIDE, margin=(0, 0, 0, 4))
