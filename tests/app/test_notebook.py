"""Views in a notebook: what goes over the comm in both ways. Jupyter itself is not started."""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import ColumnDataSource, Plot
from holoviews.streams import Tap
from pyviz_comms import Comm

import vitpanel
from tests.synthetic import write_synthetic_study
from vitpanel import elements
from vitpanel.app.explorer import Explorer
from vitpanel.errors import VitpanelError
from vitpanel.state.brush import Near, OfClass
from vitpanel.study.reader import Study, open_study
from vitpanel.views.registry import views as known_views


class RecordingComm(Comm):
    """An open comm that keeps what is sent to the front end."""

    def __init__(self) -> None:
        super().__init__()
        self._comm: Any = "open"
        self.sent: list[str] = []

    def send(self, data=None, metadata=None, buffers=()):
        self.sent.append(data or "")


class Cell:
    """A result as Panel renders it below a cell."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer, self.comm, self.document = explorer, RecordingComm(), Document()
        self._viewable: Any = pn.panel(explorer)
        self._root = self._viewable._render_model(self.document, self.comm)
        self._viewable._render_mimebundle(self._root, self.document, self.comm)

    def receive(self, model: Any, **changes: Any) -> None:
        """Take a message of the front end that properties of a model have changed."""
        events = [
            {"kind": "ModelChanged", "model": {"id": model.id}, "attr": name, "new": new}
            for name, new in changes.items()
        ]
        message = {
            "header": {"msgtype": "PATCH-DOC", "msgid": "1"},
            "metadata": {},
            "content": {"events": events},
            "_buffers": None,
        }
        _, front_end = self._viewable._comms[self._root.ref["id"]]
        front_end._on_msg(message)

    def let_go(self) -> None:
        """Tell Panel that the output is gone."""
        pn.extension._process_comm_msg({"event_type": "delete", "id": self._root.ref["id"]})

    def has_sent(self, model: Any) -> bool:
        """Whether a change of a model has been sent to the front end; what was sent is forgotten."""
        sent, self.comm.sent = "".join(self.comm.sent), []
        return f'"{model.id}"' in sent


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("notebook") / "x.study"))


@pytest.fixture
def show(study: Study):
    """Render some views in a cell."""

    def cell(views: Any = None, **options: Any) -> Cell:
        return Cell(vitpanel.explore(study, views=views, live=False, **options))

    yield cell
    pn.state.reset()


def ask_for_all(explorer: Explorer) -> None:
    """Ask for the charts that are built when they are wanted: those of pinned heads, and of a cluster."""
    views: Any = explorer.views
    if "head-importance" in views:
        views["head-importance"].compare.value = True
    explorer.selection.heads = Near(f"layout/{explorer.selection.pattern}", (1, 0, 0), 5)


@pytest.mark.parametrize("name", known_views())
def test_a_view_is_shown_alone(show: Callable[..., Cell], name):
    cell = show(name)
    assert list(cell.explorer.views) == [name]
    ask_for_all(cell.explorer)
    figures = {chart.figure.id for chart in cell.explorer.views[name].charts.values()}
    assert figures
    assert figures <= {fig.id for fig in cell.document.select({"type": Plot})}


def test_views_are_shown_in_the_places_of_the_page(show: Callable[..., Cell]):
    assert [view.place.row for view in known_views().values() if view.place] == [0, 0, 1, 1, 1]
    cell = show(["attention-strength", "head-importance"])
    assert set(cell.explorer.views) == {"attention-strength", "head-importance"}
    ask_for_all(cell.explorer)
    assert len(list(cell.document.select({"type": Plot}))) == sum(len(v.charts) for v in cell.explorer.views.values())


def test_a_cell_is_as_high_as_the_views_need(show: Callable[..., Cell]):
    root = show("image-overview")._root
    assert (root.height, root.sizing_mode) == (480, "stretch_width")


def test_a_view_that_there_is_not_is_refused(study: Study):
    with pytest.raises(VitpanelError, match="no view 'heads'") as caught:
        vitpanel.explore(study, views="heads", live=False)
    assert "head-importance, attention-strength" in caught.value.hint


def test_a_choice_made_from_code_reaches_the_front_end(show: Callable[..., Cell]):
    cell = show("head-importance")
    view: Any = cell.explorer.views["head-importance"]
    cell.comm.sent = []
    cell.explorer.selection.image = 5
    assert cell.has_sent(view.curve.heads)


def test_a_choice_made_in_a_cell_reaches_the_views_of_another(show: Callable[..., Cell]):
    first = show("head-importance")
    second = show("attention-strength", selection=first.explorer.selection)
    line_view: Any = first.explorer.views["head-importance"]
    bars_view: Any = second.explorer.views["attention-strength"]
    second.comm.sent = []
    layer, head = 1 - first.explorer.selection.layer, first.explorer.selection.head
    first.receive(line_view.curve.picked, data={"flat": [3 * layer + head]})
    assert second.explorer.session.chosen_head == (layer, head)
    assert bars_view.bars.figure.title.text.startswith(f"L{layer} H{head}")
    assert second.has_sent(bars_view.bars.hops)


def test_a_choice_made_in_an_element_reaches_the_views_of_another_cell(show: Callable[..., Cell], study: Study):
    selection = vitpanel.Selection(study, image=3, layer=0, head=0)
    cell = show("attention-strength", selection=selection)
    plot = hv.renderer("bokeh").get_plot(elements.importance_curve(study, selection))
    streams = [stream for part in plot.traverse(lambda each: each) for stream in streams_of(part)]
    view: Any = cell.explorer.views["attention-strength"]
    cell.comm.sent = []
    next(stream for stream in streams if isinstance(stream, Tap)).event(x=5, y=0.1)
    assert view.bars.figure.title.text.startswith("L1 H2")
    assert cell.has_sent(view.bars.hops)
    cell.explorer.selection.mark(OfClass("class 0"))
    plot = hv.renderer("bokeh").get_plot(elements.measure_distribution(study, selection))
    assert "brushed images" in plot.state.title.text
    assert view.area.legend.visible


def streams_of(part: Any) -> list[Any]:
    """Streams of HoloViews that a part of a plot listens for."""
    return [stream for callback in getattr(part, "callbacks", []) for stream in callback.streams]


def test_a_chart_is_saved_over_the_comm(show: Callable[..., Cell]):
    cell = show("attention-strength")
    cell.comm.sent = []
    cell.explorer.views["attention-strength"].save("attention-strength", "csv")
    assert "chosen_image" in "".join(cell.comm.sent)


VIEWS = ["head-importance", "attention-strength", "image-overview", "pattern-overview"]


def bars(explorer: Explorer) -> Any:
    """Source of the bars of attention strength."""
    view: Any = explorer.views["attention-strength"]
    return view.bars.hops


def titles(cell: Cell) -> set[str]:
    """Titles of the figures in a cell."""
    figures: Any = cell.document.select({"type": Plot})
    return {getattr(fig.title, "text", "") for fig in figures}


def test_what_is_shown_nowhere_any_more_draws_nothing_until_it_is_shown_again(show: Callable[..., Cell]):
    cell = show(VIEWS)
    explorer, before = cell.explorer, titles(cell)
    layer, head = explorer.session.chosen_head
    cell.let_go()
    assert explorer.bridge.is_asleep
    cell.comm.sent = []
    explorer.selection.param.update(image=5, layer=1 - layer)
    assert titles(cell) == before
    assert not cell.comm.sent
    again = Cell(explorer)
    assert not explorer.bridge.is_asleep
    assert f"L{1 - layer} H{head}: strength" in titles(again)
    assert "Entropy of all heads, image 5" in titles(again)
    again.comm.sent = []
    explorer.selection.choose_head(layer, head)
    assert again.has_sent(bars(explorer))


def test_what_was_shown_anew_is_as_what_is_made_anew(show: Callable[..., Cell], study: Study):
    cell = show(VIEWS)
    cell.let_go()
    chosen = {"image": 5, "layer": 1, "head": 2, "metric": "jsd", "images": OfClass("class 0")}
    cell.explorer.selection.param.update(**chosen)
    again, made = Cell(cell.explorer), show(VIEWS, selection=vitpanel.Selection(study, **chosen))
    assert titles(again) == titles(made)
    assert sizes(again) == sizes(made)


def sizes(cell: Cell) -> list[int]:
    """Numbers of the rows of all sources in a cell."""
    sources: Any = cell.document.select({"type": ColumnDataSource})
    return sorted(len(next(iter(source.data.values()), [])) for source in sources)


@pytest.mark.parametrize("gone", [0, 1])
def test_what_two_cells_show_goes_on_while_one_of_them_is_there(show: Callable[..., Cell], gone: int):
    first = show(VIEWS)
    cells = [first, Cell(first.explorer)]
    cells[gone].let_go()
    assert not first.explorer.bridge.is_asleep
    again = Cell(first.explorer)
    again.comm.sent = []
    layer, head = first.explorer.session.chosen_head
    again.explorer.selection.choose_head(1 - layer, head)
    assert f"L{1 - layer} H{head}: strength" in titles(again)
    assert again.has_sent(bars(first.explorer))


def test_what_is_not_yet_shown_is_drawn(study: Study):
    explorer = vitpanel.explore(study, views="attention-strength", live=False)
    layer, head = 1 - explorer.selection.layer, explorer.selection.head
    explorer.selection.choose_head(layer, head)
    view: Any = explorer.views["attention-strength"]
    assert view.bars.figure.title.text == f"L{layer} H{head}: strength"


def test_the_map_of_a_view_that_is_shown_again_follows(show: Callable[..., Cell]):
    cell = show("pattern-overview")
    cell.let_go()
    again = Cell(cell.explorer)
    again.comm.sent = []
    again.explorer.selection.pattern = "cls"
    assert again.comm.sent
