import pytest

from vitpanel.views.base import Chart, create_figure, escaped, layer_ticks
from vitpanel.views.bridge import Bridge


def test_escaped_keeps_names_from_being_html():
    assert escaped('<img src="x" onerror=alert(1)>') == "&lt;img src=&quot;x&quot; onerror=alert(1)&gt;"


@pytest.mark.parametrize("n_layers", [1, 6, 12, 16, 17, 24, 32, 48])
def test_layer_ticks_begin_with_the_first_layer_and_are_few(n_layers):
    ticks = layer_ticks(n_layers)
    assert ticks[0] == 0
    assert len(ticks) <= 17
    assert len(ticks) == n_layers or n_layers > 16


def test_chart_says_and_clears():
    chart = Chart(create_figure(), Bridge())
    chart.say("No <layout>.", hint="Compute it.")
    assert chart.message == "No <layout>."
    assert "No &lt;layout&gt;." in chart.note.object
    assert "Compute it." in chart.note.object
    assert chart.note.visible
    chart.clear()
    assert not chart.note.visible
    assert not chart.message


def test_chart_waits_without_hiding_what_was_drawn():
    chart = Chart(create_figure(), Bridge())
    chart.wait()
    assert chart.note.visible
    assert 'class="note"' not in chart.note.object
