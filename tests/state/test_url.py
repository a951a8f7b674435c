"""What is chosen, written to and read from the query of an address."""

import json
import zlib
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthetic import write_synthetic_study
from vitpanel.errors import ChoiceError
from vitpanel.state.brush import And, Ids, InPolygon, Matches, Not, OfClass, Predicted
from vitpanel.state.image_groups import NUMBERS
from vitpanel.state.saved_state import FIELDS, starting_values
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.state.url import LONGEST_BRUSH, LONGEST_KEPT, apply_query, left_out, to_query
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Study of 2 layers × 3 heads."""
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("url") / "x.study"))


CHOICES: dict[str, Any] = {
    "image": 3, "layer": 1, "head": 2, "metric": "jsd", "mode": 4, "token": 5, "threshold": 0.125, "scale": "log",
    "extra": False, "mask": "cut-out", "pattern": "cls", "pinned": [(0, 1), (1, 2)], "density": False,
    "image_layout": "cls", "colouring": "correct", "measure": "distance", "map_colour": "class", "cloud": True,
    "share_source": "patches", "scatter_x": "entropy", "scatter_y": "importance_jsd", "scatter_colour": "cohesion",
    "images": Not(Predicted(right=False)) & OfClass("class 1"),
    "heads": InPolygon("layout/cls", (0.0, 1.5, 2.0), (1.0, 0.0, 3.0)),
    "tokens": Ids((1, 2, 5), item="token"), "viewport": (-1.25, 3.5, 0.1, 2.0),
    "kept": {"cats & <dogs>": OfClass("class 1"), "round": InPolygon("layout/cls", (0.0, 1.5, 2.0), (1.0, 0.0, 3.0))},
    "against": "cats & <dogs>",
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
    selection.param.update(**({"kept": CHOICES["kept"]} if name == "against" else {}) | {name: value})
    query = to_query(selection, study=study, start=start)
    other, other_start = session_of(study)
    assert apply_query(other, query, study=study, start=other_start) == []
    assert starting_values(other) == starting_values(selection)


def test_a_brush_that_is_long_is_not_said(study: Study):
    selection, start = session_of(study)
    corners = tuple(np.random.default_rng(0).random(LONGEST_BRUSH).tolist())
    selection.heads = InPolygon("layout/cls", corners, corners)
    assert left_out(selection, study=study, start=start) == ["the brush of heads"]
    assert "heads" not in to_query(selection, study=study, start=start)


def test_where_one_starts_is_not_said(study: Study):
    selection, start = session_of(study)
    assert to_query(selection, study=study, start=start) == {}


def test_no_image_is_said(study: Study):
    selection, start = session_of(study)
    selection.image = None
    assert to_query(selection, study=study, start=start) == {"study": study.fingerprint, "image": "none"}


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
        ("heads", '{"kind":"InPolygon","layout":"layout/absent","x":[0,1,2],"y":[0,1,0]}'),
        ("heads", '{"kind":"InPolygon","layout":"../../x","x":[0,1,2],"y":[0,1,0]}'),
        ("images", '{"kind":"InRange","name":"absent","item":"image"}'),
        ("images", f'{{"kind":"Ids","ids":[{10**300}]}}'),
        ("images", '{"kind":"Ids","ids":{"kind":"Predicted"}}'), ("images", '{"kind":["Ids"]}'), ("images", "~"),
        ("images", "~AAAA"), ("images", "~" + "é" * 9), ("images", '{"kind":"OfClass","name":["x"]}'),
        ("images", '{"kind":"Not","part":' * 70 + '{"kind":"Predicted"}' + "}" * 70),
        ("images", '{"kind":"InRange","name":"p_true","low":"x","item":"image"}'),
        ("images", '{"kind":"Matches","text":5}'), ("viewport", "0 1"), ("viewport", "0 1 0 nan"),
        ("viewport", "1 0 0 1"), ("viewport", "0 1e300 0 1"), ("viewport", "0 1e-300 0 1"), ("viewport", "a b c d"),
        ("heads", '{"kind":"InPolygon","layout":"layout/cls","x":[-1e308,1e308,0],"y":[-1e308,1e308,5]}'),
        ("viewport", "<svg/onload=alert(1)>"), ("kept", "[]"), ("kept", "none"), ("kept", '{"a":1}'),
        ("kept", '{"":{"kind":"Predicted"}}'), ("kept", '{"a":{"kind":"InRange","name":"absent"}}'),
        ("kept", json.dumps({str(n): {"kind": "Predicted"} for n in range(9)})), ("against", "nobody"),
        ("image", "9" * 5000), ("threshold", "1e400"), ("pinned", "0.0 " * 400),
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
    query = to_query(selection, study=study, start=start)
    assert query == {"study": study.fingerprint, "colouring": colouring}
    other, other_start = session_of(study)
    assert apply_query(other, query, study=study, start=other_start) == []
    assert other.colouring == colouring


def test_a_lasso_of_many_corners_is_packed(study: Study):
    selection, start = session_of(study)
    x, y = (tuple(np.round(values, 4).tolist()) for values in np.random.default_rng(0).random((2, 60)))
    selection.heads = InPolygon("layout/cls", x, y)
    query = to_query(selection, study=study, start=start)
    assert len(query["heads"]) < LONGEST_BRUSH < len(json.dumps(selection.heads.to_dict()))
    other, _ = session_of(study)
    assert apply_query(other, query, study=study, start=start) == []
    assert other.heads == selection.heads


def test_a_text_that_unpacks_into_very_much_is_refused(study: Study):
    selection, start = session_of(study)
    bomb = "~" + urlsafe_b64encode(zlib.compress(b" " * 10**8 + b"{}")).decode()[:LONGEST_BRUSH]
    assert apply_query(selection, {"images": bomb, "kept": bomb}, study=study, start=start)
    assert selection.images is None


def test_kept_brushes_that_have_no_room_are_left_out_with_what_is_held_against_them(study: Study):
    selection, start = session_of(study)
    corners = tuple(np.random.default_rng(0).random(200).tolist())
    selection.keep("long", InPolygon("layout/images_drop", corners, corners))
    selection.keep("short", Predicted())
    selection.hold_against("long")
    query = to_query(selection, study=study, start=start)
    assert len(query["kept"]) <= LONGEST_KEPT
    assert list(json.loads(query["kept"])) == ["short"]
    assert "against" not in query
    assert left_out(selection, study=study, start=start) == ["1 of the kept brushes"]
    selection.hold_against("short")
    assert to_query(selection, study=study, start=start)["against"] == "short"


def test_a_link_of_another_study_says_so_and_gives_what_fits(study: Study):
    selection, start = session_of(study)
    notices = apply_query(selection, {"study": "0123456789ab", "image": "3", "layer": "77"}, study=study, start=start)
    assert "another study ('0123456789ab'" in notices[0]
    assert study.fingerprint in notices[0]
    assert "layer" in notices[1]
    assert selection.image == 3
    assert apply_query(selection, {"study": study.fingerprint, "image": "4"}, study=study, start=start) == []


def test_the_fingerprint_is_of_what_decides_about_the_numbers(study: Study, tmp_path: Path):
    again = open_study(write_synthetic_study(tmp_path / "other-name.study"))
    other = open_study(write_synthetic_study(tmp_path / "y.study", seed=1))
    assert again.fingerprint == study.fingerprint != other.fingerprint
    assert len(study.fingerprint) >= 8
    int(study.fingerprint, 16)


BRUSHES_OF_IMAGES = st.recursive(
    st.builds(Ids, st.lists(st.integers(0, 10**6), max_size=40).map(tuple))
    | st.builds(OfClass, st.text(max_size=10), st.sampled_from(["label", "predicted"]))
    | st.builds(Matches, st.text(max_size=10))
    | st.builds(Predicted, st.booleans()),
    lambda parts: st.builds(Not, parts) | st.builds(And, st.lists(parts, min_size=1, max_size=3).map(tuple)),
    max_leaves=4,
)
CHOSEN = st.fixed_dictionaries(
    {},
    optional={
        "image": st.none() | st.integers(0, 11),
        "layer": st.integers(0, 1),
        "head": st.integers(0, 2),
        "mode": st.integers(0, 5),
        "token": st.none() | st.integers(0, 16),
        "threshold": st.floats(0, 1, exclude_min=True),
        "pinned": st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=4, unique=True),
        "extra": st.booleans(),
        "viewport": st.none() | st.tuples(*[st.floats(-100, 0), st.floats(1, 100)] * 2),
        "images": st.none() | BRUSHES_OF_IMAGES,
        "kept": st.dictionaries(st.text(min_size=1, max_size=9).filter(str.strip), BRUSHES_OF_IMAGES, max_size=3),
    },
)


@given(chosen=CHOSEN)
def test_whatever_is_chosen_comes_back_from_the_address_and_from_a_state(study: Study, chosen: dict[str, Any]):
    selection, start = session_of(study)
    selection.param.update(**chosen)
    selection.against = next(iter(selection.kept), None)
    before = starting_values(selection)
    query = to_query(selection, study=study, start=start)
    other, _ = session_of(study)
    sent = dict(parse_qsl(urlencode(query)))
    assert apply_query(other, sent, study=study, start=start) == []
    if not left_out(selection, study=study, start=start):
        assert starting_values(other) == before
    state = json.loads(json.dumps(selection.state()))
    again, _ = session_of(study)
    assert again.restore(state) == []
    assert starting_values(again) == before
    assert set(query) <= set(state)


def test_a_state_is_what_the_address_says_as_plain_json(study: Study):
    selection = Selection(study)
    assert selection.state() == {}
    selection.param.update(image=3, pinned=[(0, 1)], images=Predicted(), viewport=(0.0, 1.0, 0.0, 2.0))
    start = starting_values(Selection(study))
    assert selection.state() == {
        "study": study.fingerprint, "image": 3, "pinned": [[0, 1]], "images": {"kind": "Predicted", "right": True},
        "viewport": [0.0, 1.0, 0.0, 2.0],
    }  # fmt: skip
    assert set(selection.state()) == set(to_query(selection, study=study, start=start))


def test_a_state_is_one_step_and_what_is_wrong_in_it_is_said(study: Study):
    selection = Selection(study, image=2)
    assert len(selection.restore({"image": 5, "layer": 99, "mode": True, "images": {"kind": "Fly"}})) == 3
    assert (selection.image, selection.mode, selection.images) == (5, 1, None)
    assert selection.undo()
    assert selection.image == 2
    with pytest.raises(ChoiceError, match="imge"):
        selection.restore({"imge": 5})
    with pytest.raises(ChoiceError, match="no study"):
        Selection().state()


def test_another_layout_is_seen_whole_unless_a_part_of_it_is_chosen_with_it(study: Study):
    selection = Selection(study, pattern="cls")
    selection.viewport = (0.0, 1.0, 0.0, 1.0)
    selection.pattern = "patch"
    assert selection.viewport is None, "coordinates of one layout mean nothing on another"
    selection.param.update(pattern="cls", viewport=(0.0, 2.0, 0.0, 2.0))
    assert selection.viewport == (0.0, 2.0, 0.0, 2.0)
