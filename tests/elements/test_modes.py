"""What stands where in the bars of the predicted classes, and how numbers are written on axes."""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import pytest
from bokeh.models import BasicTickFormatter

from tests.fakes import FakeModel
from tests.hostile_studies import manifest_with
from tests.synthetic import write_synthetic_study
from vitpanel import elements
from vitpanel.elements.modes import LONGEST_NAME
from vitpanel.study.reader import Study, open_study

LONG = "German shepherd, German shepherd dog, German police dog, alsatian and more"


def layer_of(element: Any, kind: type) -> Any:
    return next(layer for layer in element.values() if type(layer) is kind)


def test_names_stand_over_their_bars_and_ticks(study: Study, model: FakeModel):
    element = elements.prediction_bars(study, image=3, live=model)
    tops = layer_of(element, hv.Rectangles).dimension_values("bottom")  # the axis goes down
    ticks = layer_of(element, hv.Segments).dimension_values("bottom")
    labels = layer_of(element, hv.Labels)
    assert labels.opts.get("style").kwargs["text_baseline"] == "bottom"
    assert (labels.dimension_values("y") < tops).all()
    assert (labels.dimension_values("y") < ticks).all()


def test_a_long_name_ends_within_the_figure(tmp_path: Any):
    path = write_synthetic_study(tmp_path / "a.study")
    names = [f"{LONG} {i}" for i in range(len(open_study(path).class_names))]
    manifest_with("model.class_names", names)(path)
    study = open_study(path)
    live = FakeModel(study.spec)
    element = elements.prediction_bars(study, image=3, live=live)
    texts = layer_of(element, hv.Labels).dimension_values("text")
    assert all(text.endswith("…") and len(text.removeprefix("✓ ")) <= LONGEST_NAME for text in texts)
    assert set(elements.prediction_bars(study, image=3, live=live, table=True)["class"]) <= set(names)


@pytest.mark.parametrize("name", ["strength_bars", "importance_curve", "head_ranking", "head_scatter"])
def test_small_numbers_on_an_axis_are_plain(study: Study, plot: Callable[[Any], Any], name: str):
    formatter = plot(getattr(elements, name)(study)).state.yaxis[0].formatter
    assert isinstance(formatter, BasicTickFormatter)
    assert formatter.power_limit_low <= -6
