"""What another thread sends to a page while the page's own thread writes."""

import sys
import threading

import panel as pn
import pytest
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from vitpanel.views.bridge import Bridge

pytestmark = pytest.mark.ui
N_CALLS, MOST_WAITING = 4000, 3


@pytest.fixture
def _busy_threads():
    """Let threads take turns as often as Python can, which shows within seconds what else takes hours."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_busy_threads")
def test_no_call_of_another_thread_is_lost(app_page, wait_until):
    """A thread keeps a few calls under way, so that it asks for more while the page's thread ends a hold."""
    opened, turn, made = [], threading.Condition(), []

    def build():
        source, fig = ColumnDataSource({"x": [0]}), figure()
        fig.scatter("x", "x", source=source)
        opened[:] = [Bridge(), source]
        return pn.Column(opened[0].pane(fig))

    page = app_page(build)
    bridge, source = opened

    def write(number):
        source.data = {"x": [number]}
        with turn:
            made.append(number)
            turn.notify()

    def ask():
        for number in range(N_CALLS):
            bridge.soon(lambda number=number: write(number))
            with turn:
                if not turn.wait_for(lambda number=number: number - len(made) < MOST_WAITING, timeout=5):
                    return

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    wait_until(lambda: made == list(range(N_CALLS)))
    wait_until(
        lambda: page.evaluate("id => Bokeh.documents[0].get_model_by_id(id).data.x[0]", source.id) == N_CALLS - 1
    )
