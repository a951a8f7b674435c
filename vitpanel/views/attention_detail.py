"""D2 to D5: the attention of the chosen head on the chosen image."""

import math
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from vitpanel.core.display import MAX_LINKS, display_names, pooling_step, share_above
from vitpanel.core.spec import short_head_name
from vitpanel.errors import VitpanelError
from vitpanel.state.session import Session
from vitpanel.views.base import COMPACT, FILLED, Chart, View, escaped
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.head_pictures import NO_TOKEN, create_head_pictures, head_columns
from vitpanel.views.figures.image_masks import NO_PIXELS, rgba_pixels
from vitpanel.views.palette import css

_NOTE = f"""
:host {{ position: absolute; inset: 0; z-index: 2; pointer-events: none; }}
.note {{ height: 100%; display: flex; flex-direction: column; align-items: center; justify-content: center;
  text-align: center; gap: 4px; padding: 8px; box-sizing: border-box; font: 12px/1.35 sans-serif;
  color: {css("text")}; background: {css("surface")}; }}
.hint {{ color: {css("hint")}; font-size: 11px; }}
"""


class AttentionDetail(View):
    """Four linked pictures of one attention matrix; pointer and threshold are followed in the browser."""

    title = "Attention Detail"
    help = (
        "Which token attends to which, in the chosen head on the chosen image. Blue touches the CLS token, orange is "
        "between patches; darker is stronger. Left: the image, under the attention that a token gives (its row of the "
        "matrix) and under the attention that it gets (its column); clear is strong, black is none, CLS unless you "
        "point at another token. Middle: source tokens above, target tokens below, a link for each value above the "
        f"threshold, at most the {MAX_LINKS:,} strongest. Point at a token or a patch to light its links, click to "
        "keep it. Below: how often each value occurs (both scales are logarithmic); drag the red bar or click to "
        "move it, or type the share of the largest values that is drawn. Right: the matrix, with what is below the "
        "threshold faded."
    )

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        grid = session.study.spec.grid
        self.pictures = create_head_pictures(grid)
        if (step := pooling_step(grid)) > 1:
            self.pictures.heatmap.figure.title.text = f"Attention: row = source, largest of {step} × {step} patches"
        words = {"variant": "body2", "margin": (13, 4, 0, 8), "styles": {"white-space": "nowrap"}}
        box = {"size": "small", "sx": COMPACT, "margin": (8, 4, 0, 0)}
        self._name = pmui.Typography("", **words)
        self._labels = [pmui.Typography(text, **words) for text in ("token", "top %")]
        self._token = pmui.TextInput(placeholder="none", width=64, **box)
        self._share = pmui.TextInput(width=64, **box)
        self._note = pn.pane.HTML("", visible=False, stylesheets=[_NOTE], **FILLED)
        self._create_charts()
        self._figures = self._lay_out()
        self._shown_cut = math.nan
        self.pictures.cut.on_change("data", self._on_cut_dragged)
        self.pictures.pinned.on_change("data", self._on_token_clicked)
        self._share.param.watch(self._on_share_typed, "value")
        self._token.param.watch(self._on_token_typed, "value")
        session.param.watch(self._on_attention, "attention")
        session.selection.param.watch(self._on_threshold, "threshold")
        session.selection.param.watch(self._on_token, "token")
        session.selection.param.watch(self._on_image, "image")
        self._on_image()
        self._on_threshold()
        self._on_token()
        self._on_attention()

    def controls(self) -> list[pn.viewable.Viewable]:
        """Name of the head, and what the pointer does by keyboard: the token kept and the threshold."""
        return [self._name, self._labels[0], self._token, self._labels[1], self._share]

    def body(self) -> pn.viewable.Viewable:
        """Return D2, D3 above D5, and D4 side by side; words over them where there is nothing to see."""
        return pn.Column(self._figures, self._note, **FILLED, styles={"position": "relative", "min-height": "0"})

    def _create_charts(self) -> None:
        pictures, bridge = self.pictures, self.bridge
        for name, fig in pictures.masks.figures.items():
            table = None if name == "image" else partial(self._mask_table, name)
            setattr(self, f"{name}_chart", Chart(fig, bridge, name=f"attention-{name}", table=table))
        self.lines_chart = Chart(pictures.lines.figure, bridge, name="attention-links", table=self._links_table)
        self.histogram_chart = Chart(
            pictures.histogram.figure, bridge, name="attention-histogram", table=self._histogram_table
        )
        self.heatmap_chart = Chart(pictures.heatmap.figure, bridge, name="attention-matrix", table=self._matrix_table)

    def _lay_out(self) -> pn.Row:
        masks = [getattr(self, f"{name}_chart") for name in self.pictures.masks.figures]

        def column(*charts: Any, grow: float) -> pn.Column:
            panes = [
                pn.Column(chart, **FILLED, styles={"flex": f"{share} 1 0", "min-height": "0"})
                for chart, share in charts
            ]
            return pn.Column(*panes, **FILLED, styles={"flex": f"{grow} 1 0", "min-width": "0"})

        return pn.Row(
            column(*((chart, 1) for chart in masks), grow=0.5),
            column((self.lines_chart, 1.25), (self.histogram_chart, 1), grow=1.1),
            column((self.heatmap_chart, 1), grow=1.2),
            **FILLED,
        )

    # -- what can be saved -----------------------------------------------------------------------------------------

    def _links_table(self) -> pd.DataFrame:
        display = self.session.head_display()
        if display is None:
            return pd.DataFrame(columns=["source", "target", "value"])
        links = display.links
        drawn = links.value >= display.threshold
        columns = {"source": links.source, "target": links.target, "value": links.value}
        return pd.DataFrame({name: column[drawn] for name, column in columns.items()})

    def _histogram_table(self) -> pd.DataFrame:
        display = self.session.head_display()
        histogram = display and display.histogram
        columns = (histogram.edges[:-1], histogram.edges[1:], histogram.counts) if histogram else ([], [], [])
        return pd.DataFrame(dict(zip(("from", "to", "count"), columns, strict=True)))

    def _matrix_table(self) -> pd.DataFrame:
        """One row for each cell of the heatmap."""
        display, names = self.session.head_display(), display_names(self.session.study.spec.grid)
        if display is None:
            return pd.DataFrame(columns=["source", "target", "value"])
        source, target = np.indices(display.pooled.shape)
        return pd.DataFrame({
            "source": np.take(names, source.ravel()),
            "target": np.take(names, target.ravel()),
            "value": display.pooled.ravel(),
        })  # fmt: skip

    def _mask_table(self, side: str) -> pd.DataFrame:
        """Attention from or to the token that is kept (else CLS), by patch."""
        display, grid = self.session.head_display(), self.session.study.spec.grid
        token = grid.cls if self.session.selection.token is None else self.session.selection.token
        if display is None or token is None:
            return pd.DataFrame(columns=["token", "row", "column", "value"])
        row, column = np.divmod(np.arange(grid.size), grid.cols)
        values = display.matrix[token] if side == "source" else display.matrix[:, token]
        return pd.DataFrame({"token": grid.label(token), "row": row, "column": column, "value": values[grid.patches]})

    # -- what the session says -------------------------------------------------------------------------------------

    def _on_attention(self, *_: param.parameterized.Event) -> None:
        outcome = self.session.attention
        display = self.session.head_display()
        self._figures.styles = {"opacity": "0.35" if outcome.status == "running" else "1", "transition": "opacity 0.2s"}
        if outcome.status in {"idle", "failed"}:
            words = f'<div class="note" role="status"><div>{escaped(outcome.message)}</div>'
            hint = f'<div class="hint">{escaped(outcome.hint)}</div></div>'
            self._note.param.update(object=words + hint, visible=True)
        else:
            self._note.visible = False
        waiting = " · computing …" if outcome.status == "running" else ""
        self._name.object = short_head_name(*self.session.chosen_head) + waiting
        if display is None:
            return
        columns = head_columns(display)

        def draw() -> None:
            self.pictures.head.data = columns
            self._show_cut(display.threshold)

        self.bridge.put((self, "head"), draw)

    def _on_image(self, *_: param.parameterized.Event) -> None:
        image = self.session.selection.image
        if image is None:
            return
        try:
            pixels, caption = rgba_pixels(self.session.study.crop(image)), f"image {image}"
        except VitpanelError as error:
            pixels, caption = NO_PIXELS, error.message

        def draw() -> None:
            self.pictures.masks.crop.data = {"image": [pixels]}
            self.pictures.masks.figures["image"].title.text = caption

        self.bridge.put((self, "image"), draw)

    def _on_threshold(self, *_: param.parameterized.Event) -> None:
        self._share.param.update(value=f"{100 * self.session.selection.threshold:.3g}", error_state=False)
        display = self.session.head_display()
        if display is not None:
            self.bridge.put((self, "cut"), lambda: self._show_cut(display.threshold))

    def _show_cut(self, value: float) -> None:
        self._shown_cut = value
        self.pictures.cut.data = {"value": [value]}

    def _on_token(self, *_: param.parameterized.Event) -> None:
        token = self.session.selection.token
        self._token.param.update(value="" if token is None else str(token), error_state=False)
        data = {"token": [NO_TOKEN if token is None else token]}
        self.bridge.put((self, "token"), lambda: self.pictures.pinned.update(data=data))

    # -- what a person does ----------------------------------------------------------------------------------------

    def _on_cut_dragged(self, _attr: str, _old: object, new: dict[str, Any]) -> None:
        attention = self.session.attention.value
        if attention is not None and new["value"][0] != self._shown_cut:
            self.session.selection.threshold = share_above(attention, new["value"][0])

    def _on_token_clicked(self, _attr: str, _old: object, new: dict[str, Any]) -> None:
        token = int(new["token"][0])
        self.session.selection.token = None if token == NO_TOKEN else token

    def _on_share_typed(self, event: param.parameterized.Event) -> None:
        selection = self.session.selection
        if event.new == f"{100 * selection.threshold:.3g}":
            return
        try:
            selection.threshold = float(event.new) / 100
        except ValueError:
            self._share.error_state = True

    def _on_token_typed(self, event: param.parameterized.Event) -> None:
        text = event.new.strip()
        is_token = text.isdecimal() and int(text) < self.session.study.spec.grid.n_tokens
        self._token.error_state = bool(text) and not is_token
        if is_token or not text:
            self.session.selection.token = int(text) if text else None
