"""The menu of what the colours of images mean."""

from typing import Any

import panel as pn

from vitpanel.state.brush import HEAD, INSTANCE
from vitpanel.state.image_groups import BRUSHED_HEADS
from vitpanel.state.queries.image_numbers import shown_colouring
from vitpanel.state.selection import Selection
from vitpanel.views.controls import create_select

COLOURING_NAMES = {
    "label": "Label",
    "predicted": "Prediction",
    "correct": "Right or wrong",
    "p_true": "p(label)",
    "importance": "Importance",
    "entropy": "Entropy",
    "distance": "Distance",
}
# Offered only while there is such a brush.
BRUSHED_NAMES = {HEAD: "Importance of the brush", INSTANCE: "Heads in the brush"}


class ColouringMenu:
    """Keeps a menu in step with a selection, and the selection with what a person chooses in it.

    Parameters
    ----------
    selection
        Whose colours of images it is about.
    look
        Options of the menu.
    """

    def __init__(self, selection: Selection, **look: Any) -> None:
        self._selection = selection
        self.select: pn.widgets.Select = create_select("Colour", self._options, shown_colouring(selection), **look)
        self.select.param.watch(self._on_value, "value")

    @property
    def _options(self) -> dict[str, str]:
        brush = self._selection.heads
        more = {} if brush is None else {BRUSHED_NAMES[brush.item]: BRUSHED_HEADS}
        return {name: colouring for colouring, name in COLOURING_NAMES.items()} | more

    def _on_value(self, event: Any) -> None:
        # It is told of what is shown in the place of a brush that is gone, too; that is nobody's choice.
        if event.new != shown_colouring(self._selection):
            self._selection.colouring = event.new

    def show(self) -> None:
        """Offer what can be chosen now, and show what is."""
        self.select.param.update(options=self._options, value=shown_colouring(self._selection))

    @property
    def offer(self) -> str:
        """Words of a button that colours by the brushed heads; empty where there are none or it is done already."""
        is_offered = self._selection.heads is not None and self._selection.colouring != BRUSHED_HEADS
        return "Colour by the brushed heads" if is_offered else ""

    def take_offer(self) -> None:
        """Colour by the brushed heads, if there are any."""
        if self.offer:
            self._selection.colouring = BRUSHED_HEADS
