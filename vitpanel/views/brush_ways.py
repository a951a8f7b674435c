"""What a drag or a press does to what is brushed already, by the keys that are held meanwhile."""

from collections.abc import Mapping

from bokeh.events import PanStart
from bokeh.plotting import figure

from vitpanel.state.selection import Selection


class BrushWays:
    """Knows how the brush that is being drawn in a figure combines with the one that there is.

    Parameters
    ----------
    fig
        Whose drags draw brushes. What tells of the end of a drag does not tell of keys, so its start is heard.
    selection
        Whose way holds where no key is held.
    """

    def __init__(self, fig: figure, selection: Selection) -> None:
        self._selection, self._held = selection, ""
        fig.on_event(PanStart, self._on_start)

    def _on_start(self, event: PanStart) -> None:
        self._held = way_of(event.modifiers or {})

    @property
    def way(self) -> str:
        """One of `vitpanel.state.brush.WAYS`."""
        return self._held or self._selection.way


def way_of(held: Mapping[str, bool]) -> str:
    """What the keys ``shift``, ``ctrl`` (or Cmd) and ``alt`` mean, as in other tools; empty where they say nothing."""
    if held.get("alt"):
        return "intersect"
    if held.get("shift"):
        return "subtract" if held.get("ctrl") else "add"
    return ""
