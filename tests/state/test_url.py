"""What is chosen, written to and read from the query of an address."""

from typing import Any

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import Ids, InPolygon, Not, OfClass, Predicted
from vitpanel.state.image_groups import NUMBERS
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.state.url import FIELDS, LONGEST_BRUSH, apply_query, starting_values, to_query
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Study of 2 layers × 3 heads."""
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("url") / "x.study"))


CHOICES: dict[str, Any] = {
    "image": 3, "layer": 1, "head": 2, "metric": "jsd", "mode": 4, "token": 5, "threshold": 0.125, "scale": "log",
    "extra": False, "mask": "cut-out", "pattern": "cls", "pinned": [(0, 1), (1, 2)], "density": False,
    "image_layout": "cls", "colouring": "correct", "measure": "distance", "map_colour": "class", "cloud": True,
    "share_source": "patches",
    "images": Not(Predicted(right=False)) & OfClass("class 1"),
    "heads": InPolygon("layout/cls", (0.0, 1.5, 2.0), (1.0, 0.0, 3.0)),
    "tokens": Ids((1, 2, 5), item="token"),
}  # fmt: skip


def session_of(study: Study) -> tuple[Selection, dict[str, Any]]:
    selection = Session(study).selection
    return selection, starting_values(selection)


def test_every_parameter_that_lasts_is_in_the_address():
    # The way back is a person's own, and what the next brush does is a matter of the moment.
    assert set(FIELDS) == set(Selection.param) - {"name", "jumps", "way"}


@pytest.mark.parametrize("name", FIELDS)
def test_a_choice_comes_back_from_the_address(study: Study, name: str):
    selection, start = session_of(study)
    objects = getattr(selection.param[name], "objects", None)
    value = CHOICES[name] if objects is None or CHOICES[name] in objects else list(objects)[-1]
    selection.param.update(**{name: value})
    query = to_query(selection, start)
    other, other_start = session_of(study)
    assert apply_query(other, query, study=study, start=other_start) == []
    assert starting_values(other) == starting_values(selection)


def test_a_brush_that_is_long_is_not_said(study: Study):
    selection, start = session_of(study)
    corners = tuple(float(n) / 7 for n in range(LONGEST_BRUSH))
    selection.heads = InPolygon("layout/cls", corners, corners)
    assert "heads" not in to_query(selection, start)


def test_where_one_starts_is_not_said(study: Study):
    selection, start = session_of(study)
    assert to_query(selection, start) == {}


def test_no_image_is_said(study: Study):
    selection, start = session_of(study)
    selection.image = None
    assert to_query(selection, start) == {"image": "none"}


def test_what_the_address_no_longer_says_is_as_at_the_start(study: Study):
    selection, start = session_of(study)
    selection.param.update(image=0, metric="jsd")
    apply_query(selection, {"metric": "jsd"}, study=study, start=start)
    assert selection.metric == "jsd"
    assert selection.image == start["image"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("image", "9999"), ("image", "-1"), ("image", "abc"), ("image", "1.5"), ("image", ""), ("layer", "2"),
        ("layer", "none"), ("head", "3"), ("metric", "nope"), ("metric", "none"), ("mode", "6"), ("token", "17"),
        ("threshold", "0"), ("threshold", "nan"), ("threshold", "inf"), ("threshold", "x"), ("scale", "<b>"),
        ("extra", "1"), ("pattern", "absent"), ("pattern", "../x"), ("pinned", "0"), ("pinned", "0.1 0.1"),
        ("pinned", "9.9"), ("pinned", "0.-1"), ("pinned", "0.0 0.1 0.2 1.0 1.1"), ("density", "maybe"),
        ("images", "x"), ("images", "[]"), ("images", "[" * 900), ("images", '{"kind":'), ("images", '{"kind":"Fly"}'),
        ("images", '{"kind":"Ids","ids":["a"]}'), ("images", '{"kind":"Ids","ids":[1e400]}'),
        ("images", '{"kind":"Ids","ids":[1],"item":"token"}'), ("heads", '{"kind":"Predicted"}'),
        ("heads", '{"kind":"OfHead","name":"../x"}'),
        ("images", '{"kind":"InPolygon","layout":"absent","x":[0,1,2],"y":[0,1,0]}'),
    ],
)  # fmt: skip
def test_what_the_study_does_not_have_is_said_and_the_start_stays(study: Study, name: str, text: str):
    selection, start = session_of(study)
    notices = apply_query(selection, {name: text, "mode" if name != "mode" else "cloud": "2"}, study=study, start=start)
    assert notices
    assert name in notices[0]
    assert getattr(selection, name) == start[name]
    if name != "mode":
        assert selection.mode == 2, "the rest of the address holds"


def test_watchers_hear_once(study: Study):
    selection, start = session_of(study)
    calls: list[int] = []
    selection.param.watch(lambda *events: calls.append(len(events)), ["layer", "head", "metric"])
    selection.param.update(layer=0, head=0, metric="probability")
    calls.clear()
    apply_query(selection, {"layer": "1", "head": "2", "metric": "jsd"}, study=study, start=start)
    assert calls == [3]


@pytest.mark.parametrize("colouring", NUMBERS)
def test_colours_of_a_head_come_back_from_the_address(study: Study, colouring: str):
    selection, start = session_of(study)
    selection.colouring = colouring
    query = to_query(selection, start)
    assert query == {"colouring": colouring}
    other, other_start = session_of(study)
    assert apply_query(other, query, study=study, start=other_start) == []
    assert other.colouring == colouring
