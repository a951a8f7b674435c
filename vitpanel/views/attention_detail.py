"""D2 to D5: the attention of the chosen head on the chosen image."""

import math
from functools import partial
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param

from vitpanel.core.grid import CLS
from vitpanel.core.spec import short_head_name
from vitpanel.core.token_names import tokens_named
from vitpanel.drawing.display import CUT_OUT, HEAT, SCALES, pooling_step, share_above
from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.queries.attention import histogram_table, links_table, mask_table, matrix_table, read_tokens
from vitpanel.state.session import Session
from vitpanel.theme.palette import css
from vitpanel.views.base import FILLED, FULL_WIDTH, error_words, escaped
from vitpanel.views.bridge import Bridge
from vitpanel.views.chart import Chart
from vitpanel.views.checkbox import Checkbox
from vitpanel.views.controls import WRONG, create_select, create_text_box
from vitpanel.views.figures.head_pictures import NO_TOKEN, create_head_pictures, head_columns
from vitpanel.views.figures.image_masks import NEUTRAL, NO_PIXELS, rgba_pixels
from vitpanel.views.figures.threshold_histogram import UNITS
from vitpanel.views.head_atlas import STEM, HeadAtlas
from vitpanel.views.tables import TABLE_KINDS
from vitpanel.views.token_brush import TokenBrush
from vitpanel.views.view import Place, View

_NOTE = f"""
:host {{ position: absolute; inset: 0; z-index: 2; pointer-events: none; }}
.note {{ height: 100%; display: flex; flex-direction: column; align-items: center; justify-content: center;
  text-align: center; gap: 4px; padding: 8px; box-sizing: border-box; font: 12px/1.35 sans-serif;
  color: {css("text")}; background: {css("surface")}; }}
.hint {{ color: {css("hint")}; font-size: 11px; }}
"""
_WORDS = {
    "font": "11px/16px sans-serif",
    "white-space": "nowrap",
    "overflow": "hidden",
    "color": css("text"),
    "padding": "5px 8px 0",
}
_PICTURE_TITLES = {"image": "Image", "source": "Mask: where the token looks", "target": "Mask: who looks at the token"}
# What draws the same in Python.
_PICTURES = {
    "image": "",
    "source": "elements.attention_masks(study, selection)",
    "target": 'elements.attention_masks(study, selection, side="target")',
}
# A value that was shown with three digits may have been rounded up.
ROUNDED = 1.005
# As wide for each head, and while it waits: a change of width lays out the whole page again.
_NAME = {"white-space": "nowrap", "width": "58px", "font": "14px sans-serif", "color": css("text")}


class AttentionDetail(View):
    """Four linked pictures of one attention matrix; pointer and threshold are followed in the browser."""

    title = "Attention Detail"
    slug = "attention-detail"
    place = Place(row=1, width=51, height=57)
    redraws: ClassVar = {
        "_draw_head": ("session.attention",),
        "_draw_threshold": ("threshold",),
        "_draw_token": ("token", "tokens"),
        "_draw_brush": ("tokens", "extra"),
        "_draw_image": ("image",),
        "_draw_options": ("scale", "extra", "mask"),
    }

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        self.grid = session.study.spec.grid
        self.pictures = create_head_pictures(self.grid)
        self.pictures.words.styles = _WORDS
        self.brush = TokenBrush(session, bridge, self.pictures)
        self.atlas = HeadAtlas(session)
        self._name = pn.pane.HTML("", margin=(10, 4, 0, 8), styles=_NAME)
        self._token = create_text_box("Token", width=84)
        self._threshold = create_text_box("Threshold", width=68)
        self._unit = create_select("Unit", UNITS, UNITS[0], width=80)
        self._scale = create_select("Shades", SCALES, session.selection.scale, width=108)
        self._cut_out = Checkbox(label="Cut-out", margin=(0, 8))
        self._extra = Checkbox(label="extra tokens", margin=(6, 4, 0, 4))
        self._note = pn.pane.HTML("", stylesheets=[_NOTE], **FILLED)
        self._line, self._beside = pn.Row(**FULL_WIDTH, height=28), list[pn.viewable.Viewable]()
        self._create_charts()
        self._figures = self._lay_out()
        self._shown_threshold_value, self._written, self._said = math.nan, "", ""
        self._listen()
        self._draw_image()
        self._draw_options()
        self._draw_threshold()
        self._draw_token()
        self._draw_brush()
        self._draw_head()
        self.follow()

    def _listen(self) -> None:
        selection = self.session.selection
        self.pictures.threshold_value.on_change("data", self._on_threshold_dragged)
        self.pictures.kept_token.on_change("data", self._on_token_clicked)
        self._threshold.param.watch(self._on_threshold_typed, "value")
        self._unit.param.watch(self._on_unit, "value")
        self._token.param.watch(self._on_token_typed, "value")
        self._scale.param.watch(lambda event: selection.param.update(scale=event.new), "value")
        self._extra.param.watch(lambda event: selection.param.update(extra=event.new), "value")
        self._cut_out.param.watch(lambda event: selection.param.update(mask=CUT_OUT if event.new else HEAT), "value")
        self.param.watch(lambda event: self.atlas.param.update(dark=event.new), "dark")

    def controls(self) -> list[pn.viewable.Viewable]:
        """Name of the head, and what the pointer does by keyboard: the token kept and the threshold."""
        has_extra = any(kind != CLS for kind in self.grid.prefix)
        extra = [self._extra] if has_extra else []
        return [self._name, self._token, self._threshold, self._unit, self._scale, *extra]

    def body(self) -> pn.viewable.Viewable:
        """D2, D3 above D5, and D4 side by side, words over them where there is nothing to see; the atlas of heads."""
        over = {"position": "relative", "min-height": "0"}
        words = self.bridge.pane(self.pictures.words, **FULL_WIDTH)
        self._beside = [self._cut_out, words, *self.atlas.controls()]
        self._show_bar()
        return pn.Column(pn.Column(self._figures, self._note, **FILLED, styles=over), self._line, self.atlas, **FILLED)

    def records(self) -> list[dict[str, Any]]:
        """What the menu of files says of the charts and of the atlas."""
        return [*super().records(), self.atlas.record()]

    def save(self, stem: str, kind: str, *, scale: int = 1) -> None:
        """Save one of the charts, or the atlas."""
        if stem == STEM and kind in TABLE_KINDS:
            table, file = self.atlas.table(), self.atlas.file_name(kind)
            self.save_table(lambda: table, kind=kind, file=file)
        elif stem == STEM:
            self.atlas.save_picture(self.caption())
        else:
            super().save(stem, kind, scale=scale)

    def _create_charts(self) -> None:
        pictures, bridge, grid = self.pictures, self.bridge, self.grid
        for name, fig in pictures.masks.figures.items():
            table = None if name == "image" else partial(self._mask_table, name)
            chart = Chart(
                fig,
                bridge,
                name=f"attention-{name}",
                table=table,
                title=_PICTURE_TITLES[name],
                python=partial(self._python, _PICTURES[name]),
            )
            setattr(self, f"{name}_chart", chart)
        display = self.session.head_display
        self.lines_chart = Chart(
            pictures.lines.figure,
            bridge,
            name="attention-links",
            title="Links between tokens",
            table=lambda: links_table(display(), self.session.threshold_value() or 0, grid),
            python=partial(self._python, "elements.token_lines(study, selection)"),
        )
        self.histogram_chart = Chart(
            pictures.histogram.figure,
            bridge,
            name="attention-histogram",
            title="Values and threshold",
            table=lambda: histogram_table(display()),
            python=partial(self._python, "elements.attention_histogram(study, selection)"),
        )
        self.heatmap_chart = Chart(
            pictures.heatmap.figure,
            bridge,
            name="attention-matrix",
            title="Attention matrix",
            table=lambda: matrix_table(display(), grid),
            python=partial(self._python, "elements.attention_heatmap(study, selection)"),
        )

    def _python(self, expression: str) -> str:
        """What draws the same in Python, which is of one image."""
        return "" if self.session.selection.image is None else expression

    def _mask_table(self, side: str) -> Any:
        tokens = read_tokens(self.session.study, self.session.selection)
        return mask_table(self.session.head_display(), self.grid, side=side, tokens=tokens)

    def _lay_out(self) -> pn.Row:
        masks = [getattr(self, f"{name}_chart") for name in self.pictures.masks.figures]

        def column(*charts: Any, grow: float) -> pn.Column:
            panes = [chart.placed(flex=f"{share} 1 0") for chart, share in charts]
            return pn.Column(*panes, **FILLED, styles={"flex": f"{grow} 1 0", "min-width": "0"})

        return pn.Row(
            column(*((chart, 1) for chart in masks), grow=0.5),
            column((self.lines_chart, 1.25), (self.histogram_chart, 1), grow=1.1),
            self.heatmap_chart.placed(flex="1.2 1 0"),
            **FILLED,
        )

    # -- what the session says -------------------------------------------------------------------------------------

    def _draw_head(self) -> None:
        outcome = self.session.attention
        display, threshold_value = self.session.head_display(), self.session.threshold_value()
        # A page that is still loading may miss that waiting has ended; it has no old pictures to fade either.
        is_waiting = outcome.status == "running" and display is None and bool(self.pictures.head.data["matrix"])
        self._figures.styles = {"opacity": "0.35" if is_waiting else "1", "transition": "opacity 0.2s"}
        if outcome.status in {"idle", "failed"}:
            words = f'<div class="note" role="status"><div>{error_words(outcome.message)}</div>'
            hint = f'<div class="hint">{error_words(outcome.hint)}</div></div>'
            self._note.object = words + hint
        else:
            self._note.object = ""
        self._name.object = short_head_name(*self.session.chosen_head) + (" …" if outcome.status == "running" else "")
        self._draw_titles()
        if display is None or threshold_value is None:
            return
        self._write_threshold(threshold_value)
        self.pictures.head.data = head_columns(display, threshold_value)
        self._show_threshold(threshold_value)

    def _draw_titles(self) -> None:
        """Say over the pictures of how many images they are the mean, where they are no image's."""
        outcome, step = self.session.attention, pooling_step(self.grid)
        words = "Attention: row = source, column = target"
        if self.session.selection.image is None and outcome.value is not None:
            self.pictures.masks.figures["image"].title.text = outcome.message.removeprefix("mean of ")
            words = f"{outcome.message.capitalize()}: row = source"
        cells = f"largest of {step} × {step} patches"
        self.pictures.heatmap.figure.title.text = (
            f"{words.removesuffix(', column = target')}, {cells}" if step > 1 else words
        )

    def _draw_image(self) -> None:
        image = self.session.selection.image
        if image is None:
            self.pictures.masks.crop.data = {"image": [NEUTRAL]}
            return
        try:
            pixels, caption = rgba_pixels(self.session.study.crop(image)), f"image {image}"
        except VitpanelError as error:
            pixels, caption = NO_PIXELS, public_words(error.message)
        self.pictures.masks.crop.data = {"image": [pixels]}
        self.pictures.masks.figures["image"].title.text = caption

    def _draw_threshold(self) -> None:
        value = self.session.threshold_value()
        self._write_threshold(value)
        self._show_threshold(value)

    def _write_threshold(self, value: float | None) -> None:
        share = f"{100 * self.session.selection.threshold:.3g}"
        number = "" if value is None else f"{value:.3g}"
        self._written = share if self._unit.value == UNITS[0] else number
        self._threshold.param.update(value=self._written, css_classes=[])

    def _show_threshold(self, value: float | None) -> None:
        if value is not None:
            self._shown_threshold_value = value
            self.pictures.threshold_value.data = {"value": [value]}

    def _draw_token(self) -> None:
        token = self.session.selection.token
        self._said = self.brush.words if token is None else self.grid.name(token)
        self._token.param.update(value=self._said, css_classes=[])
        self.pictures.kept_token.data = {"token": [NO_TOKEN if token is None else token]}

    def _draw_brush(self) -> None:
        self.brush.draw()
        self._show_bar()

    def _show_bar(self) -> None:
        """Put what belongs to a brush of tokens beside the words while there is one, and only then on the page."""
        bar = [] if self.session.selection.tokens is None else [self.brush.bar]
        parts = [*self._beside[:2], *bar, *self._beside[2:]]
        if self._beside and parts != self._line.objects:
            self._line.objects = parts

    def _draw_options(self) -> None:
        selection = self.session.selection
        self._scale.value, self._extra.value = selection.scale, selection.extra
        self._cut_out.value = selection.mask == CUT_OUT
        shown = {"scale": selection.scale, "extra": selection.extra, "unit": self._unit.value, "mask": selection.mask}
        self.pictures.options.data = {name: [value] for name, value in shown.items()}

    # -- what a person does ----------------------------------------------------------------------------------------

    def _on_threshold_dragged(self, _attr: str, _old: object, new: dict[str, Any]) -> None:
        attention = self.session.attention.value
        if attention is not None and new["value"][0] != self._shown_threshold_value:
            self.session.selection.threshold = share_above(attention, new["value"][0])

    def _on_token_clicked(self, _attr: str, _old: object, new: dict[str, Any]) -> None:
        token = int(new["token"][0])
        self.session.selection.token = None if token == NO_TOKEN else token

    def _on_unit(self, _: param.parameterized.Event) -> None:
        self._write_threshold(self.session.threshold_value())
        self._put("_draw_options")

    def _on_threshold_typed(self, event: param.parameterized.Event) -> None:
        selection, attention = self.session.selection, self.session.attention.value
        is_share = self._unit.value == UNITS[0]
        if event.new == self._written:
            self._accept(self._threshold)
        if event.new == self._written or (attention is None and not is_share):
            return
        try:
            number = float(event.new)
            selection.threshold = number / 100 if is_share else self._share_above(attention, number)
            self._accept(self._threshold)  # also where it is another way to write the one that there is
        except ValueError:
            self._threshold.css_classes = WRONG
            most = "" if is_share or attention is None else f"{float(attention.max()):.3g}, the largest here"
            way = "Type a percentage above 0, up to 100" if is_share else f"Type a value from 0 to {most}"
            self._complain(f"{event.new!r} is not a threshold. {way}.")

    @staticmethod
    def _share_above(attention: np.ndarray, value: float) -> float:
        """Share of the values from a threshold on; ValueError for one that no value reaches."""
        if not 0 <= value <= float(attention.max()) * ROUNDED:
            message = f"No value of the attention is {value}."
            raise ValueError(message)
        return share_above(attention, value)

    def _on_token_typed(self, event: param.parameterized.Event) -> None:
        text, selection = event.new.strip(), self.session.selection
        if text == self._said:
            self._accept(self._token)
            return
        tokens = tokens_named(self.grid, text)
        self._token.css_classes = [] if tokens or not text else WRONG
        if not text:
            # What the box said goes.
            selection.param.update(**{"tokens" if selection.token is None else "token": None})
        elif tokens:
            if len(tokens) == 1:
                selection.token = tokens[0]
            else:
                self.brush.mark(tokens)
            # Also where it is chosen already: Enter is told twice, and what was typed would stay in the box.
            self._put("_draw_token")
        else:
            known = [self.grid.name(token) for token in range(self.grid.n_prefix)]
            known += [f"the number of a patch from 0 to {self.grid.size - 1}", "its row, column"]
            self._complain(
                f"There is no token {event.new!r}: type {', '.join(known)}, or several as 2-5; 9 or r0-1 c2-3."
            )

    def _accept(self, box: pn.widgets.TextInput) -> None:
        """Take back that what was typed into a box before is wrong."""
        if box.css_classes:
            box.css_classes = []
            self._put("_draw_threshold")
            self._put("_draw_token")  # lets the browser write its words

    def _complain(self, message: str) -> None:
        def say() -> None:
            # The browser writes there as well, of which the server does not hear: words that it said before are a
            # change for the browser alone.
            for text in ("", f'<span role="alert" style="color: {css("warning")}">{escaped(message)}</span>'):
                self.pictures.words.text = text

        self.bridge.put((self, "words"), say)
