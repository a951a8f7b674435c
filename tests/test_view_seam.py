"""A view that a class more adds: it is on the page, linked, asked for by name, explained and saved like the others."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar, cast

import pandas as pd
import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import ColumnDataSource, Title

from tests.entry_points import Point, registry_for_a_test
from tests.synthetic import write_synthetic_study
from vitpanel.app.explorer import Explorer, create_page
from vitpanel.app.on_demand import OnDemand
from vitpanel.errors import VitpanelError
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.views import registry
from vitpanel.views.base import FILLED, create_figure
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.view import Place, View


class LayerMeans(View):
    """Mean entropy of the heads of each layer on the chosen image."""

    title = "Layer Means"
    slug = "layer-means"
    place = Place(row=2, width=30, height=40)
    redraws: ClassVar = {"_draw_bars": ("image",), "_draw_title": ("layer", "view.maximised")}

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.bars = ColumnDataSource({"layer": [], "entropy": []})
        fig = create_figure()
        fig.vbar("layer", top="entropy", width=0.8, source=self.bars)
        self.words = cast("Title", fig.title)
        self.chart = Chart(fig, bridge, name="layer-means", table=lambda: pd.DataFrame(self.bars.data))
        self._draw_bars()
        self._draw_title()
        self.follow()

    @classmethod
    def help(cls) -> str:
        """How to read the view."""
        return "<p>One bar a layer.</p>"

    def body(self) -> pn.viewable.Viewable:
        """Show the one chart."""
        return pn.Column(self.chart, **FILLED)

    def _draw_bars(self) -> None:
        entropy = self.session.study["entropy"][self.session.selection.image or 0]
        self.bars.data = {"layer": list(range(len(entropy))), "entropy": list(entropy.mean(-1))}

    def _draw_title(self) -> None:
        self.words.text = f"layer {self.session.selection.layer}" + " (large)" * self.maximised


@pytest.fixture
def packages() -> Iterator[list[Point]]:
    """Entry points of packages, to be filled before views are asked for."""
    with registry_for_a_test(registry.REGISTRY) as points:
        yield points


@pytest.fixture
def register(packages: list[Point]) -> Callable[[type[View]], type[View]]:
    """Return what registers views for one test alone."""
    return registry.register


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a small study."""
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("views") / "x.study"))


def test_a_registered_view_is_on_the_page_and_linked(register, study: Study):
    register(LayerMeans)
    assert list(registry.views())[-1] == "layer-means"
    explorer = Explorer(study)
    view = explorer.views["layer-means"]
    assert isinstance(view, LayerMeans)
    before = list(view.bars.data["entropy"])
    explorer.selection.image = 5
    assert list(view.bars.data["entropy"]) == pytest.approx(study["entropy"][5].mean(-1)) != before
    explorer.selection.choose_head(1, 0)
    assert view.words.text == "layer 1"
    view.maximised = True
    assert view.words.text == "layer 1 (large)"


def test_it_has_its_place_below_the_others_which_keep_theirs(register, study: Study):
    register(LayerMeans)
    page = Explorer(study).__panel__()
    assert isinstance(page, pn.Column)
    rows = [row for row in page if isinstance(row, pn.Row)]
    assert [row.styles["flex"] for row in rows] == ["43 1 0", "57 1 0", "40 1 0"]
    assert [len(row) for row in rows] == [2, 3, 1]
    assert [cell.styles["flex"] for cell in rows[-1]] == ["30 1 0"]


def test_it_is_asked_for_by_its_slug_explained_and_saved(register, study: Study, monkeypatch: pytest.MonkeyPatch):
    register(LayerMeans)
    explorer = Explorer(study, views=["layer-means", "head-importance"])
    assert list(explorer.views) == ["head-importance", "layer-means"]
    document = Document()
    pn.Column(explorer).server_doc(document)
    texts = [getattr(getattr(model, "data", None), "text", "") for model in document.models]
    assert "<p>One bar a layer.</p>" in texts
    view = explorer.views["layer-means"]
    assert isinstance(view, LayerMeans)
    assert view.file_name("layer-means", "csv").startswith("layer-means_L")
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(view.view_tools, "_send_msg", sent.append)
    view.save("layer-means", "csv")
    assert sent[0]["text"] == pd.DataFrame(view.bars.data).to_csv(index=False)
    with pytest.raises(VitpanelError, match="no view 'layers'") as caught:
        Explorer(study, views="layers")
    assert "layer-means" in caught.value.hint


def test_a_view_without_a_place_is_built_when_it_is_opened(register, study: Study):
    class Aside(LayerMeans):
        """The same, for who wants it."""

        title = "Aside"
        slug = "aside"
        place = None

    register(Aside)
    explorer = Explorer(study)
    assert list(registry.on_demand()) == ["diagnosis", "class-statistics", "prune-set", "aside"]
    assert "aside" not in explorer.views
    page = create_page(study)
    opener = next(part for part in cast("Any", page[0]) if isinstance(part, OnDemand) and part.title == "Aside")
    assert opener.content is None
    opener.is_open = True
    view = opener.content
    opener.is_open = False
    opener.is_open = True
    assert isinstance(view, pn.Column)
    assert opener.content is view


def test_a_view_without_a_place_stands_alone_where_it_is_asked_for(study: Study):
    explorer = Explorer(study, views="diagnosis")
    assert list(explorer.views) == ["diagnosis"]
    page = explorer.__panel__()
    assert isinstance(page, pn.Column)
    assert [len(row) for row in page if isinstance(row, pn.Row)] == [1]


def test_what_keeps_a_view_from_being_opened_is_said_in_its_place(register, study: Study):
    class Odd(LayerMeans):
        """One that fails."""

        slug = "odd"
        place = None

        def body(self) -> pn.viewable.Viewable:
            """Fail."""
            message = "There is nothing <here>."
            raise VitpanelError(message)

    register(Odd)
    explorer = Explorer(study)
    words = OnDemand(Odd, partial(explorer.opened, "odd"))
    words.is_open = True
    assert "There is nothing &lt;here&gt;." in cast("Any", words.content).object


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"slug": "image-overview"}, "there is a view 'image-overview' already, ImageOverview"),
        ({"slug": "Layer means"}, "more than small letters"),
        ({"place": "below"}, "it declares no place of type"),
    ],
)
def test_a_view_that_cannot_be_on_the_page_is_refused(register, fields: dict[str, Any], reason: str):
    with pytest.raises(VitpanelError, match=reason):
        register(type("Odd", (LayerMeans,), fields))


def test_packages_add_views_by_an_entry_point(packages: list[Point], caplog):
    found = {"means": LayerMeans, "broken": ImportError("layers"), "other": dict, "again": LayerMeans}
    packages += [Point(name, record) for name, record in found.items()]
    assert list(registry.views())[-1] == "layer-means"
    assert len(registry.views()) == 6
    said = caplog.text
    assert "broken" in said
    assert "ImportError: layers" in said
    assert "it is no subclass of View" in said
    assert "there is a view 'layer-means' already" in said
