import base64

import numpy as np
import pytest
from bokeh.events import Tap

from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.image_map import NO_LABEL, create_image_map, data_uri
from vitpanel.views.image_overview import LAYOUT, ImageOverview
from vitpanel.views.palette import MUTED


@pytest.fixture
def view(make_session):
    return ImageOverview(make_session(), Bridge())


def tap(view, x, y):
    fig = view.map.figure
    fig._trigger_event(Tap(fig, x=float(x), y=float(y)))


def test_map_has_every_image_where_the_layout_puts_it(view):
    study, points = view.session.study, view.map.points.data
    assert np.array_equal(np.stack([points["x"], points["y"]], 1), study[LAYOUT])
    assert list(points["image"]) == list(range(12))
    assert points["label"][6] == NO_LABEL
    assert points["colour"][6] == MUTED
    assert points["thumbnail"][2] == data_uri(study.thumbnail(2))


def test_same_label_has_the_same_colour(view):
    points = view.map.points.data
    pairs = set(zip(points["label"], points["colour"], strict=True))
    assert len(pairs) == len(set(points["label"])) == len(set(points["colour"]))


def test_ring_is_at_the_chosen_image(view):
    layout = view.session.study[LAYOUT]
    assert view.map.ring.data["x"] == [layout[3, 0]]
    view.session.selection.image = 5
    assert view.map.ring.data["y"] == [layout[5, 1]]
    view.session.selection.image = None
    assert view.map.ring.data["x"] == []


def test_click_chooses_the_nearest_image(view):
    tap(view, *view.session.study[LAYOUT][8])
    assert view.session.selection.image == 8
    assert view.text.value == "8"


def test_click_beside_all_images_changes_nothing(view):
    tap(view, 1e4, 1e4)
    assert view.session.selection.image == 3


def test_typed_id_chooses(view):
    view.text.value = " 7 "
    assert view.session.selection.image == 7
    assert view.text.value == "7"
    view.text.value = ""
    assert view.session.selection.image is None


@pytest.mark.parametrize("text", ["cat", "12", "-1", "<b>"])
def test_wrong_id_is_said_in_place_and_changes_nothing(view, text):
    view.text.value = text
    assert view.text.error_state
    assert "from 0 to 11" in view.strip.object
    assert "<b>" not in view.strip.object
    assert view.session.selection.image == 3
    view.text.value = "4"
    assert not view.text.error_state
    assert 'role="alert"' not in view.strip.object


def test_buttons_step_through_the_images_and_stop_at_the_ends(view):
    view.next.clicks += 1
    assert view.session.selection.image == 4
    view.session.selection.image = 0
    assert view.previous.disabled
    view.session.selection.image = 11
    assert view.next.disabled
    view.everything.clicks += 1
    assert view.session.selection.image is None
    assert view.everything.disabled


def test_strip_shows_the_picture_and_escapes_what_comes_from_files(view):
    study = view.session.study
    image = int(np.flatnonzero(study.images["label"] == 1)[0])
    view.session.selection.image = image
    picture = base64.b64encode(study.crop(image)).decode()
    assert picture in view.strip.object
    assert "T-shirt &amp; &lt;top&gt;" in view.strip.object
    assert "<top>" not in view.strip.object
    assert "<top>" not in view.legend.object


def test_unfinished_study_says_so_and_can_be_chosen_from_by_id(make_session):
    view = ImageOverview(make_session(finished=False), Bridge())
    assert "stage layout has not run" in view.chart.message
    view.text.value = "2"
    assert view.session.selection.image == 2
    assert "<img" in view.strip.object
    view.text.value = "11"
    assert view.session.selection.image == 11
    assert "<img" not in view.strip.object


def test_large_maps_are_drawn_by_webgl(view):
    columns = {name: np.resize(view.map.points.data[name], 5001) for name in ("x", "y", "image", "colour")}
    assert create_image_map(columns).figure.output_backend == "webgl"
    assert view.map.figure.output_backend == "canvas"
