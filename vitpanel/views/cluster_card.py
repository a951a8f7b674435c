"""D1: what a marked cluster of heads is made of."""

from typing import Any

import pandas as pd
import panel as pn

from vitpanel.core.spec import short_head_name
from vitpanel.errors import VitpanelError
from vitpanel.state.brush import Near
from vitpanel.state.cluster import ClusterPart, ClusterSummary
from vitpanel.state.session import Session
from vitpanel.theme.palette import css
from vitpanel.views.background import Background
from vitpanel.views.base import FULL_WIDTH, counted, error_words
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.controls import create_button, create_stepper
from vitpanel.views.figures.cluster_map import cluster_map_columns, create_cluster_map
from vitpanel.views.figures.example_heads import ExampleHeads, example_columns

MOST_PARTS = 4
MAP_SIDE = 80
EXAMPLES_WIDTH = 118
_COLUMNS = "here: share of the heads that are marked; of all: how many of this head's, over all images, are marked"
_STYLE = f"""
    .words {{ color: {css("text")}; font: 11px/13px sans-serif; padding: 1px 0 0 8px; }}
    .parts {{ color: {css("text")}; font: 10.5px/15px sans-serif; padding: 0 4px; }}
    .part {{ display: flex; justify-content: space-between; gap: 4px; position: relative; white-space: nowrap; }}
    .part i {{ position: absolute; inset: 1px auto 1px 0; opacity: 0.25; background: {css("value")}; }}
    .part b, .part span {{ position: relative; font-weight: normal; flex: 1; text-align: right; }}
    .part b {{ text-align: left; }}
    .rest {{ color: {css("hint")}; line-height: 12px; }}
"""


class ClusterCard(pn.viewable.Viewer):
    """Summary of the heads that a person marked on the map; hidden without any.

    Parameters
    ----------
    session
        Whose selection holds the cluster.
    bridge
        The session's.
    """

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(**params)
        self.session = session
        self.summary: ClusterSummary | None = None
        self.map = create_cluster_map()
        self.chart = Chart(
            self.map.figure,
            bridge,
            name="cluster",
            table=self.table,
            title="Pattern of the cluster",
            absent="Mark a cluster first.",
        )
        self._background = Background(bridge, is_slow=True)
        self._create_parts()
        session.selection.param.watch(self._on_cluster, "heads")
        self._on_cluster()

    def _create_parts(self) -> None:
        html = {"stylesheets": [_STYLE], "margin": 0}
        self.words = pn.pane.HTML("", sizing_mode="stretch_width", **html)
        self.parts = pn.pane.HTML("", sizing_mode="stretch_width", **html)
        self.count = create_stepper(
            "Number of heads", has_words=False, start=1, step=50, value=1, width=76, margin=0, visible=False
        )
        self.count.param.watch(self._on_count, "value")
        self.clear = create_button("Clear the cluster", sign="×", width=26)
        self.clear.on_click(lambda _: self.session.selection.param.update(heads=None))
        self.examples = ExampleHeads(width=EXAMPLES_WIDTH, margin=(0, 4, 0, 0))
        self.examples.on_msg(self._on_example)
        self._is_built = False
        self._layout = pn.Column(
            **FULL_WIDTH, visible=False, styles={"border-top": f"1px solid {css('muted')}", "flex": "none"}
        )

    def _build(self) -> None:
        """Let the card be built in the browser, which is spared that until a cluster is marked."""
        self._is_built = True
        head = pn.Row(self.words, self.count, self.clear, **FULL_WIDTH, height=30)
        chart = pn.Column(self.chart, width=MAP_SIDE, height=MAP_SIDE, margin=(0, 0, 0, 8))
        self._layout.objects = [head, pn.Row(chart, self.parts, self.examples, **FULL_WIDTH)]

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the one layout of the card."""
        return self._layout

    def table(self) -> pd.DataFrame:
        """(layer, head) of the cluster, with how often they are in it."""
        parts = self.summary.parts if self.summary else ()
        names = ("layer", "head", "count", "share", "share_of_head")
        return pd.DataFrame([[getattr(part, name) for name in names] for part in parts], columns=pd.Index(names))

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_example(self, message: Any) -> None:
        """Go to the head that the clicked button showed, whatever has become of the card since."""
        spec, place = self.session.study.spec, tuple(message.data["choose"])
        sizes = (self.session.study.n_images, spec.n_layers, spec.n_heads)
        if all(index in range(size) for index, size in zip(place, sizes, strict=True)):
            self.session.selection.jump(*place)

    def _on_count(self, event: Any) -> None:
        brush = self.session.selection.heads
        if isinstance(brush, Near) and event.new is not None and event.new != brush.count:
            self.session.selection.heads = Near(brush.layout, brush.middle, event.new)

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _on_cluster(self, *_: Any) -> None:
        brush = self.session.selection.heads
        self.summary = None
        self._layout.visible = brush is not None
        self.count.visible = isinstance(brush, Near)
        if brush is None:
            return
        if isinstance(brush, Near):
            # Before the browser is told to build the box: Bokeh 3.9 fails on a value that comes before it has drawn it.
            self.count.value = brush.count
        if not self._is_built:
            self._build()
        self.words.object = '<div class="words" role="status">computing …</div>'
        self._background.run(self.session.patterns.cluster, self._show, refuse=self._say)

    def _say(self, error: VitpanelError) -> None:
        self._show(None)
        words = error_words(f"{error.message} {error.hint}")
        self.words.object = f'<div class="words" role="status">{words}</div>'

    def _show(self, summary: ClusterSummary | None) -> None:
        self.summary = summary
        if summary is not None:
            images = f"{summary.n_images:,} of {counted(self.session.study.n_images, 'image')}"
            heads = f"<b>{counted(summary.n_heads, 'head')}</b>"
            self.words.object = f'<div class="words" role="status">{heads} on {images}</div>'
        self.parts.object = "" if summary is None else self._parts_html(summary)
        self._show_map(summary)
        examples = () if summary is None else summary.examples
        self.examples.heads = example_columns(self.session.study, examples)

    def _show_map(self, summary: ClusterSummary | None) -> None:
        mean_map = None if summary is None else summary.mean_map
        self.map.pairs.data = cluster_map_columns(mean_map)
        if mean_map is not None:
            self.map.mapper.high = max(float(mean_map.max()), 1e-6)
            self.chart.clear()
        else:
            self.chart.say("" if summary is None else summary.reason)

    def _parts_html(self, summary: ClusterSummary) -> str:
        shown = summary.parts[:MOST_PARTS]
        head = f'<div class="part rest" title="{_COLUMNS}"><b>head</b><span>here</span><span>of all</span></div>'
        rows = head + "".join(_part_html(part, shown[0].share) for part in shown)
        rest = len(summary.parts) - len(shown)
        more = [f"and {rest} more" * bool(rest)]
        if summary.n_averaged < summary.n_heads:
            more.append(f"mean pattern of {summary.n_averaged:,} of them")
        return f'<div class="parts">{rows}<div class="rest">{" · ".join(filter(None, more))}</div></div>'


def _part_html(part: ClusterPart, largest: float) -> str:
    name = short_head_name(part.layer, part.head)
    words = f"{part.count:,} of the heads here are {name}; that is {part.share_of_head:.0%} of all {name}"
    return (
        f'<div class="part" title="{words}"><i style="width:{100 * part.share / largest:.0f}%"></i><b>{name}</b>'
        f"<span>{100 * part.share:.0f} %</span><span>{100 * part.share_of_head:.0f} %</span></div>"
    )
