import numpy as np
import pytest
from bokeh.events import Tap

from vitpanel.state.results import HeadEntropies
from vitpanel.state.selection import Selection
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.entropy_scatter import entropy_columns


@pytest.fixture
def view(make_session):
    return AttentionStrength(make_session(), Bridge())


def test_scatter_shows_the_chosen_image(view):
    heads = view.scatter.heads.data
    assert np.array_equal(heads["entropy"], view.session.study["entropy"][3].ravel())
    assert np.array_equal(np.round(heads["x"]), [0, 0, 0, 1, 1, 1])
    assert np.isnan(heads["lower"]).all()


def test_scatter_shows_mean_and_spread_of_all_images(view):
    view.session.selection.image = None
    entropy, heads = view.session.study["entropy"], view.scatter.heads.data
    assert np.allclose(heads["entropy"], entropy.mean(0).ravel(), atol=1e-6)
    assert np.allclose(heads["upper"] - heads["lower"], 2 * entropy.std(0).ravel(), atol=1e-6)


def test_no_head_hides_another_of_its_layer():
    columns = entropy_columns(HeadEntropies(np.full((12, 16), 0.5), None))
    assert len(set(columns["x"])) == 12 * 16
    assert np.abs(columns["x"] - np.repeat(np.arange(12), 16)).max() < 0.5


def test_click_chooses_the_head(view):
    heads, fig = view.scatter.heads.data, view.scatter.figure
    fig._trigger_event(Tap(fig, x=float(heads["x"][4]), y=float(heads["entropy"][4])))
    assert view.session.chosen_head == (1, 1)
    fig._trigger_event(Tap(fig, x=0.5, y=50.0))
    assert view.session.chosen_head == (1, 1)


def test_ring_follows_head_and_image(view):
    view.session.selection.choose_head(1, 2)
    assert view.scatter.ring.data["entropy"] == [view.session.study["entropy"][3, 1, 2]]
    view.session.selection.image = 7
    assert view.scatter.ring.data["entropy"] == [view.session.study["entropy"][7, 1, 2]]


def test_bars_show_the_chosen_head_and_the_mean(view):
    view.session.selection.choose_head(1, 0)
    strength, hops = view.session.study["strength"], view.bars.hops.data
    assert np.array_equal(hops["chosen"], strength[3, 1, 0])
    assert np.allclose(hops["mean"], strength[:, 1, 0].mean(0), atol=1e-6)
    assert list(hops["hop"]) == [0, 1, 2, 3]
    view.session.selection.image = None
    assert np.isnan(view.bars.hops.data["chosen"]).all()


def test_area_marks_the_chosen_image(view):
    entropy = view.session.study["entropy"]
    assert view.area.line.location == pytest.approx(entropy[3, 0, 0])
    assert view.area.line.visible
    curve = view.area.curve.data
    assert np.trapezoid(curve["density"], curve["entropy"]) == pytest.approx(1, abs=0.01)
    view.session.selection.image = None
    assert not view.area.line.visible


def test_titles_name_the_head(view):
    view.session.selection.choose_head(1, 2)
    assert view.bars.figure.title.text.startswith("L1 H2")
    assert view.area.figure.title.text.startswith("L1 H2")


def test_image_that_is_not_done_says_so(make_session):
    view = AttentionStrength(make_session(finished=False, selection=Selection(image=11)), Bridge())
    assert "image 11" in view.scatter_chart.message
    assert "image 11" in view.bars_chart.message
    assert not view.area_chart.message
    view.session.selection.image = 0
    assert not view.scatter_chart.message
