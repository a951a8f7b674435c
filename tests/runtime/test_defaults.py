"""Models are described as Bokeh describes them, with less work."""

import subprocess
import sys
import typing
from typing import cast

import pytest
from bokeh.core.has_props import HasProps, Local
from bokeh.core.properties import Any, Int, List, Override, String
from bokeh.core.property.descriptors import UnsetValueError
from bokeh.models import ImageURLTexture

from vitpanel.runtime import patches

DESCRIBE = """
import json, sys
import panel as pn
from bokeh.document import Document
from bokeh.models import ColumnDataSource, HoverTool, Slider
from bokeh.plotting import figure
from bokeh.themes import Theme
from vitpanel.runtime import patches

def create_page():
    fig = figure(title="one", x_range=["a", "b"], y_axis_type="log", tools=[HoverTool(tooltips="@x")])
    fig.line("x", "y", source=ColumnDataSource({"x": ["a", "b"], "y": [1, 2]}), legend_label="l")
    fig.yaxis.axis_label = "count"
    fig.tags.append("seen")
    panes = pn.Column(pn.pane.HTML("words"), pn.widgets.Select(options=["a"]), styles={"color": "red"})
    return fig, panes.get_root(), Slider(start=0, end=1, value=0.5, step=0.1)

def describe(theme):
    page = Document(theme=theme)
    for model in create_page():
        page.add_root(model)
    return page.to_json(deferred=False)

if sys.argv[1] == "patched":
    patches.apply()
dark = Theme(json={"attrs": {"Axis": {"axis_label_text_color": "white"}, "Plot": {"outline_line_color": None}}})
# The classes are asked for their defaults in the first description, and not again in the second.
print(json.dumps([describe(theme) for theme in (Theme(json={}), Theme(json={}), dark)], sort_keys=True, default=str))
"""


def described(how: str) -> str:
    run = subprocess.run([sys.executable, "-c", DESCRIBE, how], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_page_is_described_as_by_bokeh():
    assert described("patched") == described("plain")


def test_a_value_that_nobody_has_set_is_still_asked_for():
    patches.apply()
    with pytest.raises(UnsetValueError, match="url"):
        ImageURLTexture().properties_with_values(include_defaults=False)
    assert ImageURLTexture(url="a.png").properties_with_values(include_defaults=False)["url"] == "a.png"


def test_defaults_are_read_with_the_rest_where_they_are_asked_for():
    patches.apply()
    texture = ImageURLTexture(url="a.png")
    assert texture.properties_with_values()["repetition"] == "repeat"
    assert "repetition" not in texture.properties_with_values(include_defaults=False)


class Costly:
    """A default that says how often it was worked out."""

    n_times = 0

    def __copy__(self) -> "Costly":
        Costly.n_times += 1
        return self


def test_a_default_that_is_left_out_is_not_worked_out():
    class Model(HasProps, Local):
        costly = Any(default=Costly())
        other = Any(default=0)

    patches.apply()
    model = Model()
    model.update(other=1)
    model.properties_with_values(include_defaults=False)
    before = Costly.n_times
    assert model.properties_with_values(include_defaults=False) == {"other": 1}
    assert Costly.n_times == before
    assert isinstance(model.properties_with_values()["costly"], Costly)
    assert Costly.n_times > before


class Word(HasProps, Local):
    text = String(default="a")
    numbers = List(Int, default=[1])
    anything = Any(default={"a": 1})


class OtherWord(Word):
    text = Override(default="b")


def test_models_of_a_class_share_no_default_that_can_be_changed():
    patches.apply()
    one, other = cast("typing.Any", Word()), Word()
    one.numbers.append(2)
    one.anything["a"] = 2
    assert (other.numbers, other.anything) == ([1], {"a": 1})


def test_a_default_is_that_of_the_class_or_of_the_theme():
    patches.apply()
    one, other, themed = Word(), OtherWord(), Word()
    themed.apply_theme({"text": "c"})
    assert (one.text, other.text, themed.text) == ("a", "b", "c")
    themed.unapply_theme()
    assert (themed.text, themed.themed_values()) == ("a", None)
    one.update(text="d")
    assert (one.text, Word().text) == ("d", "a")
