from types import SimpleNamespace

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import ColumnDataSource
from panel.io.state import set_curdoc
from pyviz_comms import Comm

from vitpanel.views.bridge import Bridge


@pytest.fixture
def served(monkeypatch):
    """Bridge of a served document, the document, and the calls that wait for its next tick."""
    document, ticks = Document(), []
    monkeypatch.setattr(Document, "session_context", SimpleNamespace(destroyed=False))
    monkeypatch.setattr(document, "add_next_tick_callback", ticks.append)
    with set_curdoc(document):
        bridge = Bridge()
    return bridge, document, ticks


def test_bridge_outside_a_server_applies_at_once():
    source = ColumnDataSource({"x": []})
    Bridge().put("x", lambda: source.update(data={"x": [1]}))
    assert source.data["x"] == [1]


def test_bridge_of_what_a_notebook_has_let_go_of_waits_until_it_is_shown_again():
    bridge, seen = Bridge(), []
    first, second = bridge.column(), bridge.column()
    bridge.put("a", lambda: seen.append("not shown yet"))
    roots = [column.get_root(comm=Comm()) for column in (first, second)]
    first._cleanup(roots[0])
    bridge.put("a", lambda: seen.append("one is there"))
    second._cleanup(roots[1])
    assert bridge.is_asleep
    bridge.put("a", lambda: seen.append("old"))
    bridge.put("a", lambda: bridge.put("b", lambda: seen.append("new")))
    assert seen == ["not shown yet", "one is there"]
    second.get_root(comm=Comm())
    assert seen[2:] == ["new"]
    bridge.put("a", lambda: seen.append("last"))
    assert seen[3:] == ["last"]


def test_bridge_of_a_server_never_waits_for_a_view(served):
    bridge, _, ticks = served
    bridge._catch_up()
    assert not bridge.is_asleep
    bridge.put("a", lambda: None)
    assert ticks


def test_bridge_on_a_server_waits_for_the_next_tick_and_applies_the_latest_of_each_key(served):
    bridge, _, ticks = served
    seen = []
    bridge.put("a", lambda: seen.append("old"))
    bridge.put("b", lambda: seen.append("other"))
    bridge.put("a", lambda: seen.append("new"))
    assert not seen
    assert len(ticks) == 1
    ticks.pop()()
    assert seen == ["new", "other"]


def test_bridge_applies_what_a_change_asks_for_at_the_same_tick(served):
    bridge, _, ticks = served
    seen = []
    bridge.put("a", lambda: bridge.put("b", lambda: seen.append("b")))
    ticks.pop()()
    assert seen == ["b"]
    assert not ticks


def test_bridge_keeps_what_is_put_while_a_message_is_sent(served, monkeypatch):
    bridge, _, ticks = served
    seen = []

    def send(call):
        call()
        if not seen:
            seen.append("a")
            bridge.put("b", lambda: seen.append("b"))

    monkeypatch.setattr(bridge, "_together", send)
    bridge.put("a", lambda: None)
    while ticks:
        ticks.pop()()
    assert seen == ["a", "b"]


def test_bridge_goes_on_after_a_change_that_failed(served):
    bridge, _, ticks = served
    bridge.put("a", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ticks.pop()()
    seen = []
    bridge.put("b", lambda: seen.append("b"))
    ticks.pop()()
    assert seen == ["b"]


@pytest.mark.parametrize("is_loaded", [True, False])
def test_bridge_holds_what_is_changed_together_once_the_page_is_there(is_loaded, served, monkeypatch):
    bridge, document, ticks = served
    monkeypatch.setitem(pn.state._connected, document, is_loaded)
    monkeypatch.setitem(pn.state._loaded, document, is_loaded)
    sources = [ColumnDataSource({"x": [0]}) for _ in range(2)]
    for source in sources:
        document.add_root(source)
    sent, sent_meanwhile = [], []
    document.on_change(lambda event: sent.append(event.model))

    def change():
        for source in sources:
            source.data = {"x": [1]}
            source.patch({"x": [(0, 2)]})
        sent_meanwhile.extend(sent)

    bridge.put("a", change)
    with set_curdoc(document):
        while ticks:
            ticks.pop()()
    assert sent == [sources[0], sources[0], sources[1], sources[1]]
    assert sent_meanwhile == ([] if is_loaded else sent)
    assert all(list(source.data["x"]) == [2] for source in sources)
