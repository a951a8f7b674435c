"""Keys that are held while something is brushed."""

import pytest
from bokeh.events import PanStart

from vitpanel.state.selection import Selection
from vitpanel.views.base import create_figure
from vitpanel.views.brush_ways import BrushWays, way_of

HELD = [
    ({}, ""),
    ({"shift": True}, "add"),
    ({"shift": True, "ctrl": True}, "subtract"),
    ({"alt": True}, "intersect"),
    ({"alt": True, "shift": True}, "intersect"),
    ({"ctrl": True}, ""),
    ({"shift": False, "ctrl": False, "alt": False}, ""),
]


@pytest.mark.parametrize(("held", "way"), HELD)
def test_keys_mean_what_they_mean_in_other_tools(held: dict[str, bool], way: str):
    assert way_of(held) == way


def test_the_keys_of_the_last_drag_hold_and_without_any_what_is_chosen():
    fig, selection = create_figure(), Selection()
    ways = BrushWays(fig, selection)
    assert ways.way == "replace"
    selection.way = "subtract"
    assert ways.way == "subtract"
    for modifiers, way in (({"shift": True}, "add"), (None, "subtract")):
        fig._trigger_event(PanStart(fig, x=0, y=0, sx=0, sy=0, modifiers=modifiers))  # pyright: ignore[reportArgumentType]
        assert ways.way == way
