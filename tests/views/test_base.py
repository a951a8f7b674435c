import pandas as pd
import panel as pn
import pytest
from bokeh.models import ColumnDataSource, LinearScale, LogScale

from vitpanel.views.base import create_figure, error_words, escaped, layer_ticks, source_table
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.view import View


def test_escaped_keeps_names_from_being_html():
    assert escaped('<img src="x" onerror=alert(1)>') == "&lt;img src=&quot;x&quot; onerror=alert(1)&gt;"


def test_words_of_an_error_name_no_folders_and_show_commands_as_code():
    words = error_words("/home/me/<X>.study is damaged. Run `vitpanel verify X.study` first.")
    assert words == "&lt;X&gt;.study is damaged. Run <code>vitpanel verify X.study</code> first."


@pytest.mark.parametrize("n_layers", [1, 6, 12, 16, 17, 24, 32, 48])
def test_layer_ticks_begin_with_the_first_layer_and_are_few(n_layers):
    ticks = layer_ticks(n_layers)
    assert ticks[0] == 0
    assert len(ticks) <= 17
    assert len(ticks) == n_layers or n_layers > 16


def test_figure_has_one_title_in_the_words_it_is_given():
    assert create_figure(title="Links").title.text == "Links"
    assert not create_figure().title.text


def test_axes_of_one_kind_share_what_has_no_state():
    linear, log = create_figure(), create_figure(x_axis_type="log", y_axis_type="log")
    assert isinstance(linear.x_scale, LinearScale)
    assert isinstance(log.x_scale, LogScale)
    for fig in (linear, log):
        assert fig.x_scale is fig.y_scale
        assert fig.xaxis[0].major_label_policy is fig.yaxis[0].major_label_policy
    mixed = create_figure(x_axis_type="log")
    assert isinstance(mixed.x_scale, LogScale)
    assert isinstance(mixed.y_scale, LinearScale)
    assert create_figure(x_axis_type=None, y_axis_type=None).axis == []


def test_chart_keeps_one_look_of_what_a_figure_draws_by_its_own_methods():
    fig = create_figure()
    drawn = fig.scatter([1], [2])
    assert Chart(fig, Bridge()).figure is fig
    assert drawn.nonselection_glyph is None
    assert drawn.muted_glyph is None


def test_chart_says_and_clears():
    chart = Chart(create_figure(), Bridge())
    chart.say("No <layout>.", hint="Compute it.")
    assert chart.message == "No <layout>."
    assert "No &lt;layout&gt;." in chart.words
    assert "Compute it." in chart.words
    chart.clear()
    assert not chart.words
    assert not chart.message


def test_chart_waits_without_hiding_what_was_drawn():
    chart = Chart(create_figure(), Bridge())
    chart.wait()
    assert chart.words
    assert 'class="note"' not in chart.words


class TwoCharts(View):
    title = "Two charts"

    def __init__(self, session, bridge):
        super().__init__(session, bridge)
        self.source = ColumnDataSource({"x": [1, 2], "name": ["a,b", "ü"]})
        self.first = Chart(create_figure(), bridge, name="first", table=self._table)
        self.second = Chart(
            create_figure(), bridge, name="second", title="Another", detail=lambda: self.mode, python="hv.Curve([1, 2])"
        )
        self.mode = ""
        self.third = Chart(create_figure(), bridge)
        self.sent = []
        self.view_tools._send_msg = self.sent.append

    def body(self):
        return pn.Row(self.first, self.second, self.third)

    def _table(self):
        return source_table(self.source, place="x", name="name")


def test_view_offers_its_named_charts_and_names_files_by_the_choice(make_session):
    view = TwoCharts(make_session(), Bridge())
    assert list(view.charts) == ["first", "second"]
    view.session.selection.choose_head(1, 2)
    view.save("first", "csv")
    view.session.selection.image = None
    view.save("second", "svg")
    same = {"scale": 1, "legend": None}
    table = 'place,name\n1,"a,b"\n2,ü\n'
    caption = ["small · all images · L1 H2 · metric: Probability"]
    assert view.sent == [
        same | {"figure": "", "kind": "csv", "file": "first_L1H2_image3.csv", "text": table, "caption": []},
        same
        | {"figure": view.second.figure.id, "kind": "svg", "file": "second_L1H2_all-images.svg", "text": ""}
        | {"caption": caption},
    ]


def test_where_words_stand_for_a_chart_nothing_is_saved(make_session):
    view = TwoCharts(make_session(), Bridge())
    view.first.say("No layout.")
    view.save("first", "png")
    assert view.sent == [{"kind": "words", "text": "There is nothing to save: No layout."}]


def test_source_table_is_a_table_of_the_columns_asked_for():
    source = ColumnDataSource({"x": [1, 2], "y": [3, 4]})
    pd.testing.assert_frame_equal(source_table(source, height="y"), pd.DataFrame({"height": [3, 4]}))


def test_view_hears_what_its_stage_hears_from_the_browser(make_session):
    view = TwoCharts(make_session(), Bridge())
    view.view_tools.dark = view.view_tools.maximised = True
    assert view.dark
    assert view.maximised


def test_menu_offers_charts_by_title_and_says_what_cannot_be_saved(make_session):
    view = TwoCharts(make_session(), Bridge())
    view.late = Chart(create_figure, view.bridge, name="late-one", absent="Mark something first.")
    assert view.second.figure.visible
    view.first.say("No layout.")
    view.view_tools._handle_msg({"opened": True})
    first, second, late = view.view_tools.charts
    assert (first["title"], first["reason"], first["kinds"]) == (
        "First",
        "No layout.",
        ["png", "svg", "csv", "parquet"],
    )
    assert (second["title"], second["reason"], second["kinds"]) == ("Another", "", ["png", "svg"])
    assert second["figure"] == view.second.figure.id
    assert first["python"] == ""
    assert second["python"].endswith("\nhv.Curve([1, 2])\n")
    # What the browser has not got has no id, and is not made for the menu.
    assert (late["title"], late["figure"], late["absent"]) == ("Late one", "", "Mark something first.")
    assert "figure" not in vars(view.late)


@pytest.mark.parametrize("message", [{"save": "none", "kind": "png"}, {"save": "second", "kind": "csv"}, {}])
def test_what_the_menu_does_not_offer_is_not_saved(make_session, message):
    view = TwoCharts(make_session(), Bridge())
    view.view_tools._handle_msg(message)
    assert view.sent == []


def test_files_say_a_detail_and_have_the_scale_asked_for(make_session):
    view = TwoCharts(make_session(), Bridge())
    view.mode = "mode2"
    for scale, expected in ((4, 4), (10**6, 1)):
        view.view_tools._handle_msg({"save": "second", "kind": "png", "scale": scale})
        assert (view.sent[-1]["file"], view.sent[-1]["scale"]) == ("second_L0H0_image3_mode2.png", expected)
