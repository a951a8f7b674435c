"""Small buttons on a map: what a drag means, and everything the wheel does, without a pointer."""

from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from vitpanel.state.selection import Selection

_SIDE = 26
SWITCH = {"padding": "4px", "&.Mui-checked": {"color": "primary.contrastText", "backgroundColor": "primary.main"}}


class MapTools(pn.viewable.Viewer):
    """A column of buttons that lies on the map.

    Parameters
    ----------
    selection
        Whose ``cloud`` one of the buttons sets.
    """

    drag = param.Selector(default="move", objects=["move", "lasso", "box"], doc="What dragging on the map does.")

    def __init__(self, selection: Selection, **params: Any) -> None:
        super().__init__(**params)
        look: dict[str, Any] = {"size": "small", "width": _SIDE, "height": _SIDE, "margin": 0, "icon_size": "17px"}
        self.zoom_in = pmui.IconButton(icon="add", description="Zoom in about the chosen head", **look)
        self.zoom_out = pmui.IconButton(icon="remove", description="Zoom out", **look)
        self.home = pmui.IconButton(icon="zoom_out_map", description="Show all", **look)
        switch = look | {"color": "default", "sx": SWITCH}
        self.lasso = pmui.ToggleIcon(icon="gesture", description="Mark a cluster with a lasso", **switch)
        self.box = pmui.ToggleIcon(icon="highlight_alt", description="Mark a cluster with a box", **switch)
        self.around = pmui.IconButton(icon="hub", description="Mark the neighbours of the chosen head", **look)
        self.cloud = pmui.ToggleIcon(
            icon="lightbulb", description="Light the chosen head on all images", value=selection.cloud, **switch
        )
        self.lasso.param.watch(lambda event: self._on_toggle("lasso", is_on=event.new), "value")
        self.box.param.watch(lambda event: self._on_toggle("box", is_on=event.new), "value")
        self.cloud.param.watch(lambda event: selection.param.update(cloud=event.new), "value")
        selection.param.watch(lambda event: self.cloud.param.update(value=event.new), "cloud")

    def _on_toggle(self, drag: str, *, is_on: bool) -> None:
        if is_on:
            self.drag = drag
        elif self.drag == drag:
            self.drag = "move"
        self.lasso.value, self.box.value = self.drag == "lasso", self.drag == "box"

    def __panel__(self) -> pn.viewable.Viewable:
        """Stack the buttons at the left of the map."""
        buttons = (self.zoom_in, self.zoom_out, self.home, self.lasso, self.box, self.around, self.cloud)
        # Where the map is low, a second column begins.
        styles = {
            "position": "absolute", "left": "2px", "top": "2px", "height": "calc(100% - 4px)", "z-index": "1",
            "flex-wrap": "wrap", "align-content": "flex-start", "pointer-events": "none",
        }  # fmt: skip
        return pn.Column(*buttons, margin=0, styles=styles, stylesheets=[":host > * { pointer-events: auto; }"])
