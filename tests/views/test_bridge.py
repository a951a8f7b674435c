from bokeh.models import ColumnDataSource

from vitpanel.views.bridge import Bridge


class Document:
    """A served document that keeps what waits for its next tick."""

    session_context = object()

    def __init__(self):
        self.ticks = []

    def add_next_tick_callback(self, callback):
        self.ticks.append(callback)


def served_bridge():
    bridge = Bridge()
    bridge._document = Document()
    return bridge, bridge._document


def test_bridge_outside_a_server_applies_at_once():
    source = ColumnDataSource({"x": []})
    Bridge().put("x", lambda: source.update(data={"x": [1]}))
    assert source.data["x"] == [1]


def test_bridge_on_a_server_waits_for_the_next_tick_and_applies_the_latest_of_each_key():
    bridge, document = served_bridge()
    seen = []
    bridge.put("a", lambda: seen.append("old"))
    bridge.put("b", lambda: seen.append("other"))
    bridge.put("a", lambda: seen.append("new"))
    assert not seen
    assert len(document.ticks) == 1
    document.ticks.pop()()
    assert seen == ["new", "other"]


def test_bridge_takes_changes_that_a_change_asks_for_at_another_tick():
    bridge, document = served_bridge()
    seen = []
    bridge.put("a", lambda: bridge.put("b", lambda: seen.append("b")))
    document.ticks.pop()()
    assert not seen
    document.ticks.pop()()
    assert seen == ["b"]
