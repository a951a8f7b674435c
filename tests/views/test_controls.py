"""Controls in the house style."""

import panel as pn
import param
import pytest

from vitpanel.views.checkbox import Checkbox
from vitpanel.views.controls import create_choice, create_select, create_stepper, linked


class Owner(param.Parameterized):
    """Something that a control can be linked with."""

    colour = param.Selector(default="label", objects=["label", "class"])
    is_shown = param.Boolean(default=True)
    count = param.Integer(default=2)


@pytest.mark.parametrize(
    ("widget", "name", "values"),
    [
        (create_select("Colour", {"Label": "label", "Class": "class"}, "label"), "colour", ("class", "label")),
        (create_choice({"Label": "label", "Class": "class"}, "label"), "colour", ("class", "label")),
        (Checkbox(label="Shown", value=True), "is_shown", (False, True)),
        (create_stepper("Count", value=2), "count", (5, 3)),
    ],
    ids=["select", "choice", "checkbox", "stepper"],
)
def test_a_control_and_a_parameter_follow_each_other(widget: pn.widgets.Widget, name: str, values: tuple):
    owner, (one, other) = Owner(), values
    assert linked(widget, owner, name) is widget
    widget.value = one
    assert getattr(owner, name) == one
    setattr(owner, name, other)
    assert widget.value == other


def test_words_are_options_as_well():
    assert create_select("Shades", ("linear", "log"), "log").options == ["linear", "log"]
