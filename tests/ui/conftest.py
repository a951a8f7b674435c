"""Pages in a real browser that fail a test on any error in the console or the server's log."""

import asyncio
import logging
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.plotting import figure
from panel.io.server import get_server
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect
from tornado.ioloop import IOLoop

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from tests.tiny_vit import CLASSES, write_checkpoint, write_images
from tests.ui.detail import ROUND_TRIP, Detail
from tests.ui.slow_link import SlowLink
from vitpanel.app.explorer import Explorer, create_page
from vitpanel.app.inference import ModelService
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.runtime.guards import install
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.views.attention_detail import AttentionDetail
from vitpanel.views.bridge import Bridge

_LOGGERS = ("", "bokeh", "panel", "param", "tornado", "vitpanel")
# Widgets come up one by one and push the figures about, and labels of axes push their frames: a page is ready when
# nothing has moved for a while.
_READY = """() => {
  if (!window.Bokeh?.documents.length || !Bokeh.documents.every(document => document.is_idle)) return false;
  if ([...Bokeh.index.query(view => view.model.css_classes?.includes("vp-opening"))].length) return false;
  const plots = [...Bokeh.index.query(view => view.canvas_view)];
  const places = JSON.stringify(plots.map(plot => [plot.canvas_view.el.getBoundingClientRect(), plot.frame.bbox]));
  if (places !== window.vitpanelPlaces) Object.assign(window, {vitpanelPlaces: places, vitpanelSince: Date.now()});
  return Date.now() - window.vitpanelSince > 400;
}"""
_PLACE = """([id, x, y]) => {
  const view = Bokeh.index.find_one_by_id(id), box = view.canvas_view.el.getBoundingClientRect();
  return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)];
}"""
ViewFactory = Callable[[], Any]
# A busy machine is slow, not wrong: nothing that comes in the end fails for having come late.
PATIENCE = 60
expect.set_options(timeout=PATIENCE * 1000)


class Collector(logging.Handler):
    """Keeps the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as text, unless it only says that the last test's browser has gone."""
        text = self.format(record)
        if "WebSocketClosedError" not in text:
            self.messages.append(text)


def leave(page: Page) -> None:
    """Go to an empty page, again if the page has gone elsewhere by itself at that moment."""
    try:
        page.goto("about:blank")
    except PlaywrightError:
        page.goto("about:blank")


class ServerThread(threading.Thread):
    """Serves one app until it is stopped.

    Parameters
    ----------
    make
        Builds what a visitor sees.
    port
        Of the server; 0 takes a free one.
    options
        Further ones of Panel's server.
    """

    def __init__(self, make: ViewFactory, *, port: int = 0, **options: Any) -> None:
        super().__init__(daemon=True)
        self._make, self._options, self._is_up = make, options, threading.Event()
        self._document: Callable[[], Document | None] = lambda: None
        self.port = port

    def run(self) -> None:
        """Serve in an event loop of this thread."""
        install()  # as every server of vitpanel; its pages then load all scripts at once
        asyncio.set_event_loop(asyncio.new_event_loop())
        self._loop = IOLoop.current()
        options = {"port": self.port, "show": False, "start": False} | self._options
        self._server = get_server(self._make_for_visitor, **options)
        self._server.start()
        self.port = self._server.port or 0
        self._is_up.set()
        self._loop.start()
        self._loop.close(all_fds=True)

    def _make_for_visitor(self) -> Any:
        document = pn.state.curdoc
        assert document is not None
        self._document = weakref.ref(document)
        return self._make()

    def tick(self, call: Callable[[], object]) -> None:
        """Make a call on the next tick of the last visitor's document, and wait until it has been made."""
        document, is_made = self._document(), threading.Event()
        assert document is not None

        def make() -> None:
            try:
                call()
            finally:
                is_made.set()

        self._loop.add_callback(document.add_next_tick_callback, make)
        assert is_made.wait(PATIENCE)

    def n_sessions(self) -> int:
        """Sessions that the server knows."""
        return len(self._server.get_sessions("/"))

    def wait(self) -> int:
        """Port, once requests are answered."""
        assert self._is_up.wait(30)
        return self.port

    def stop(self) -> None:
        """Stop serving and wait for the end."""

        def end() -> None:
            self._server.stop()
            self._loop.stop()

        self._loop.add_callback(end)
        self.join(30)


@pytest.fixture(scope="session")
def base_url() -> str:
    """Stand in for the fixture of pytest-base-url 2.1, which warns in pytest 9 (November 2026)."""
    return ""


@pytest.fixture
def servers() -> list[ServerThread]:
    """All servers that a test has started, the newest last."""
    return []


@pytest.fixture
def act(servers: list[ServerThread]) -> Callable[[Callable[[], object]], None]:
    """Do something as code of the session does: in the thread of its loop, which no other may get in the way of."""

    def do(call: Callable[[], object]) -> None:
        servers[-1].tick(call)

    return do


@pytest.fixture
def app_page(page: Page, servers: list[ServerThread]) -> Iterator[Callable[..., Page]]:
    """Serve what a function builds for each visitor, and open it in a page of the given size.

    After the test, anything in the console or the server's log that is an error fails it.
    """
    collector, complaints = Collector(), []
    page.set_default_timeout(PATIENCE * 1000)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(error.stack or str(error)))
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(collector)

    def open_page(view_factory: ViewFactory, *, width: int = 1280, height: int = 800, query: str = "") -> Page:
        def make() -> Any:
            pn.extension()
            return view_factory()

        servers.append(ServerThread(make))
        servers[-1].start()
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"http://localhost:{servers[-1].wait()}/{query}")
        page.wait_for_function(_READY, timeout=2 * PATIENCE * 1000)
        return page

    yield open_page
    for name in _LOGGERS:
        logging.getLogger(name).removeHandler(collector)
    leave(page)
    for server in servers:
        server.stop()
    pn.state.reset()
    assert not complaints, complaints
    assert not collector.messages, "\n".join(collector.messages)


@pytest.fixture
def wait_until(page: Page) -> Callable[[Callable[[], bool]], None]:
    """Wait for something that becomes true in Python, while the browser goes on."""

    def wait(is_true: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
        for _ in range(int(seconds / 0.02)):
            if is_true():
                return
            page.wait_for_timeout(20)
        pytest.fail("waited in vain")

    return wait


@pytest.fixture
def settle(page: Page) -> Callable[[], None]:
    """Wait until the charts stand where they will stay, so that a place on them is still theirs when it is clicked."""

    def wait() -> None:
        page.wait_for_function(_READY)

    return wait


@pytest.fixture
def place_of(page: Page) -> Callable[[figure, float, float], tuple[float, float]]:
    """Where on the page a point of a figure is, from its data coordinates."""

    def place(fig: figure, x: float, y: float) -> tuple[float, float]:
        left, top = page.evaluate(_PLACE, [fig.id, float(x), float(y)])
        return left, top

    return place


@pytest.fixture
def point_at(page: Page, wait_until, place_of) -> Callable[[figure, float, float, Locator], None]:
    """Move the pointer to a point of a figure until a text is seen: the figure may still move after it is drawn."""

    def point(fig: figure, x: float, y: float, shown: Locator) -> None:
        def is_shown() -> bool:
            left, top = place_of(fig, x, y)
            page.mouse.move(left - 1, top)
            page.mouse.move(left, top)
            return shown.is_visible()

        wait_until(is_shown)

    return point


@pytest.fixture(scope="module")
def page_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Study of a tiny model with weights."""
    root = tmp_path_factory.mktemp("page")
    checkpoint = write_checkpoint(root / "tiny.safetensors")
    recipe = Recipe(
        images=write_images(root / "images", n_per_class=4), out=root / "tiny.study", checkpoint=checkpoint,
        class_names=CLASSES, latent_dim=4,
    )  # fmt: skip
    return precompute(recipe, progress=Progress(is_shown=False))


@pytest.fixture
def shown(app_page: Callable[..., Page], page_study: Study, monkeypatch: pytest.MonkeyPatch, wait_until):
    """Open the page; its explorer and the browser's page, once the live model has answered."""
    made: list[Explorer] = []
    service = ModelService(page_study)
    start = Explorer.__init__

    def keep(explorer: Explorer, *args: Any, **options: Any) -> None:
        start(explorer, *args, **options)
        made.append(explorer)

    monkeypatch.setattr(Explorer, "__init__", keep)

    def show(*, width: int = 1280, height: int = 800, query: str = "") -> tuple[Explorer, Page]:
        page = app_page(lambda: create_page(page_study, service=service), width=width, height=height, query=query)
        session = made[-1].session
        wait_until(lambda: session.modes.status == session.attention.status == "done")
        page.wait_for_function("() => Bokeh.documents[0].is_idle")
        return made[-1], page

    return show


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    """Make small studies."""

    def make(**sizes: Any) -> Study:
        folder: Path = tmp_path_factory.mktemp("studies")
        return open_study(write_synthetic_study(folder / "small.study", **sizes))

    return make


@pytest.fixture
def open_detail(
    app_page: Callable[..., Page],
    place_of: Callable[..., tuple[float, float]],
    act: Callable[[Callable[[], object]], None],
    wait_until: Callable[..., None],
    settle: Callable[[], None],
    studies: Callable[..., Study],
) -> Callable[..., Detail]:
    """Open the view on a synthetic study, and wait until the chosen head is drawn and the charts are at rest."""

    def open_it(*, slow: list[SlowLink] | None = None, **sizes: Any) -> Detail:
        study, views = studies(**sizes), []

        def build() -> pn.Column:
            selection = Selection(image=3, threshold=0.05)
            session, bridge = Session(study, selection=selection, inference=FakeInference(study.spec)), Bridge()
            views[:] = [AttentionDetail(session, bridge)]
            return pn.Column(views[0], height=480, width=760)

        page = app_page(build)
        if slow is not None:
            slow.append(SlowLink(int(page.url.split(":")[2].split("/")[0]), round_trip=ROUND_TRIP))
            slow[0].start()
            page.goto(f"http://localhost:{slow[0].wait()}")
            page.wait_for_function("window.Bokeh?.documents.length && Bokeh.documents.every(d => d.is_idle)")
        found = Detail(page, place_of, act, views[0])
        wait_until(found.is_shown)
        settle()
        return found

    return open_it
