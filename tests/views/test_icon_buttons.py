"""Buttons with pictures: what Python hears of them. What the browser does is in tests/ui."""

import pytest
from bokeh.models import LassoSelectTool, PanTool, Toolbar

from vitpanel.views.icon_buttons import NO_DRAG, IconButton, IconButtons

KNOWN = (IconButton("home", "Show all", "M0 0"), IconButton("lasso", "Draw", "M0 0", is_switch=True))


def test_only_a_button_that_there_is_and_that_is_no_switch_is_heard_of():
    heard: list[str] = []
    buttons = IconButtons(KNOWN, heard.append)
    for message in ({"press": "home"}, {"press": "lasso"}, {"press": "other"}, {}):
        buttons._handle_msg(message)
    assert heard == ["home"]


def test_switches_are_switched_from_python_too():
    buttons = IconButtons(KNOWN)
    told: list[list[str]] = []
    buttons.param.watch(lambda event: told.append(event.new), "pressed")
    for is_on in (True, True, False, False):
        buttons.switch("lasso", is_on=is_on)
        assert buttons.is_on("lasso") is is_on
    assert told == [["lasso"], []]


@pytest.mark.parametrize("is_column", [False, True])
def test_the_browser_is_told_of_tools_by_their_ids(is_column: bool):  # noqa: FBT001
    move, lasso = PanTool(), LassoSelectTool()
    toolbar = Toolbar(tools=[move, lasso])
    buttons = IconButtons(KNOWN, drags={NO_DRAG: move, "lasso": lasso}, toolbar=toolbar, is_column=is_column)
    assert buttons.drags == {"": move.id, "lasso": lasso.id}
    assert buttons.toolbar == toolbar.id
