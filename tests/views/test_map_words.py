"""What is said of the map in words."""

import numpy as np
import pytest

from vitpanel.state.pattern_map import Cohesion, Near
from vitpanel.state.patterns import MapColours
from vitpanel.views.figures.map_words import cohesion_html, legend_html, near_html


def cohesion(share: float, spread: float, *, n_asked: int = 500) -> Cohesion:
    return Cohesion(np.array([[0, share]]), np.array([[1, spread]]), 15, chance=0.02, n_asked=n_asked, n_points=500)


@pytest.mark.parametrize(
    ("share", "spread", "verdict"),
    [
        (0.9, 0.1, "one separate cluster"),
        (0.9, 0.8, "mostly separate clusters"),
        (0.2, 0.1, "one place, shared with other heads"),
        (0.2, 0.8, "scattered among other heads"),
    ],
)
def test_the_verdict_weighs_neighbours_and_spread(share: float, spread: float, verdict: str):
    html = cohesion_html(cohesion(share, spread), 0, 1)
    words = f"{100 * share:.0f} % of its 15 nearest neighbours are L0 H1 too (2 % by chance)."
    assert f"<b>L0 H1</b>, {verdict}: {words}" in html
    assert f"lie {spread:.0%} as far apart" in html
    assert "were asked" not in html


def test_a_sample_and_a_lonely_head_are_said():
    assert "200 of all 500 points were asked" in cohesion_html(cohesion(0.5, 0.5, n_asked=200), 0, 1)
    assert "no neighbours" in cohesion_html(cohesion(np.nan, np.nan), 0, 1)


def test_names_of_classes_are_escaped():
    html = legend_html(MapColours("class", "", ("<b>", "a")), ("#111111", "#222222"))
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert html.index("#111111") < html.index("#222222")


def test_what_is_near_is_said():
    words = "<b>1,200 heads</b> within 8 pixels<br>nearest: L1 H2 on image 7, a &lt;b&gt;"
    assert near_html(Near(1200, (7, 1, 2)), label="a <b>", pixels=8) == words
    assert near_html(Near(1, (7, 1, 2)), label="", pixels=8).startswith("<b>one head</b>")
