"""The maps as elements in a browser: acts on one reach its selection, and what comes into sight is painted."""

import holoviews as hv
import numpy as np
import panel as pn
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.elements.image_map import image_map
from vitpanel.elements.pattern_map import pattern_map
from vitpanel.state.selection import Selection
from vitpanel.study.reader import open_study

pytestmark = pytest.mark.ui


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("ui") / "a.study", n_images=20))


def plots_of(pane):
    """What HoloViews has drawn for the visitor."""
    ((plot, _),) = pane._plots.values()
    return plot


def test_two_linked_maps(app_page, study, wait_until, place_of):
    selection, panes = Selection(image=3, density=False), []

    def build():
        elements = image_map(study, selection), pattern_map(study, selection)
        panes[:] = [pn.pane.HoloViews(element, linked_axes=False) for element in elements]
        return pn.Row(*panes)

    page = app_page(build, width=1150, height=620)
    images, heads = (plots_of(pane) for pane in panes)
    page.mouse.click(*place_of(images.state, *study["layout/images_drop"][8]))
    wait_until(lambda: selection.image == 8)
    layout = study["layout/patch"]
    page.mouse.click(*place_of(heads.state, *layout[8, 1, 2]))
    wait_until(lambda: selection.layer == 1)
    chosen = layout[selection.image, selection.layer, selection.head]
    assert np.linalg.norm(chosen - layout[8, 1, 2]) < 1
    (picture,) = (one for one in heads.subplots.values() if isinstance(one.current_frame, hv.RGB))
    home = picture.handles["source"].data["dw"][0]
    page.mouse.move(*place_of(heads.state, *layout[8, 1, 2]))
    page.mouse.wheel(0, -300)
    wait_until(lambda: picture.handles["source"].data["dw"][0] < home)
    assert picture.handles["source"].data["dw"][0] == pytest.approx(heads.state.x_range.end - heads.state.x_range.start)
