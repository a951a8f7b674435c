"""A strip of all heads of the chosen image as small heatmaps."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import param

from vitpanel.core.metrics import metric_of
from vitpanel.core.spec import head_name, short_head_name
from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.session import Session
from vitpanel.theme.palette import css
from vitpanel.views.base import FULL_WIDTH, escaped
from vitpanel.views.controls import create_select, create_toggle
from vitpanel.views.figures.atlas import AtlasStrip, atlas_sheet
from vitpanel.views.tables import TABLE_KINDS

LIKENESS = "likeness"
ORDERS = {
    "by layer": "layer",
    "by entropy": "entropy",
    "by importance": "importance",
    "like the chosen head": LIKENESS,
}
HEIGHT = 128
STEM = "attention-atlas"
_WORDS = f"""
    :host {{ position: absolute; inset: 0; pointer-events: none; font: 12px/1.35 sans-serif; color: {css("text")}; }}
    .over {{ height: 100%; display: flex; align-items: center; justify-content: center; text-align: center;
        padding: 0 12px; box-sizing: border-box; background: {css("surface")}; }}
    .corner {{ position: absolute; right: 8px; bottom: 4px; padding: 1px 6px; border-radius: 3px;
        background: {css("surface")}; }}
"""
_LOW = {"height": 26, "margin": (1, 4)}


class HeadAtlas(pn.viewable.Viewer):
    """Thumbnails of all heads, asked for only while the strip is open; a click or Enter chooses a head.

    Parameters
    ----------
    session
        Asked for thumbnails, orders and the chosen head.
    """

    dark = param.Boolean(default=False, doc="Whether the ground is dark.")

    def __init__(self, session: Session, **params: Any) -> None:
        super().__init__(**params)
        self.session = session
        spec = session.study.spec
        n_heads = int(spec.is_there.sum())
        self.switch = create_toggle(f"Atlas of {n_heads} heads", **_LOW)
        self.order = create_select("Order", ORDERS, "layer", width=158, visible=False, **_LOW)
        self._no_order = ""
        self.words = pn.pane.HTML("", stylesheets=[_WORDS], **FULL_WIDTH)
        self.strip = AtlasStrip(n_heads=spec.n_heads, height=HEIGHT, **FULL_WIDTH)
        self._layout = pn.Column(**FULL_WIDTH, styles={"position": "relative"}, visible=False)
        self.switch.param.watch(self._on_switch, "value")
        self.order.param.watch(self._on_heads, "value")
        self.strip.on_msg(self._on_message)
        self.param.watch(self._on_atlas, "dark")
        session.param.watch(self._on_atlas, "atlas")
        session.selection.param.watch(self._on_heads, ["image", "metric", "pattern"])
        session.selection.param.watch(self._on_choice, ["layer", "head"])

    def controls(self) -> list[pn.viewable.Viewable]:
        """Switch that opens the strip, and its order."""
        return [self.order, self.switch]

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the one strip."""
        return self._layout

    @property
    def is_open(self) -> bool:
        """Whether the strip is in sight."""
        return bool(self.switch.value)

    def table(self) -> pd.DataFrame:
        """All heads in the order shown, with what is known of them; NaN else."""
        n_heads = self.session.study.spec.n_heads
        places = np.array(self.strip.order, np.int64)
        columns = dict(zip(("layer", "head"), np.divmod(places, n_heads), strict=True))
        known = (
            ("entropy", self._entropy),
            (f"importance_{self.session.selection.metric}", self._importance),
            ("pattern_distance", lambda: self.session.pattern_distances().ravel()),
        )
        for name, values in known:
            try:
                columns[name] = values()[places]
            except VitpanelError:
                columns[name] = np.full(len(places), np.nan)
        return pd.DataFrame(columns)

    def record(self) -> dict[str, Any]:
        """What the menu of files says of the strip."""
        reason = "" if self.is_open and self.session.atlas.status == "done" else "Open the atlas of heads first."
        return {"stem": STEM, "title": "Atlas of heads", "kinds": ["png", *TABLE_KINDS], "reason": reason}

    def file_name(self, kind: str) -> str:
        """Name of a file of the strip."""
        return f"{STEM}_image{self.session.selection.image}.{kind}"

    def save_picture(self, caption: list[str]) -> None:
        """Let the browser save the strip as it is seen as a PNG, with lines below it."""
        self.strip.send({"file": self.file_name("png"), "caption": caption})

    def _entropy(self) -> np.ndarray:
        return self.session.head_values("entropy").per_head.ravel()

    def _importance(self) -> np.ndarray:
        return self.session.ranking().importance

    def _on_switch(self, _: param.parameterized.Event) -> None:
        if self.is_open:
            self._layout.objects = [self.strip, self.words]  # not in the browser before
        self._layout.visible = self.order.visible = self.is_open
        self.session.wants_atlas = self.is_open
        self._on_heads()
        self._on_choice()
        self._on_atlas()

    def _on_atlas(self, *_: param.parameterized.Event) -> None:
        if not self.is_open:
            return
        outcome = self.session.atlas
        self._show_words()
        self.strip.styles = {"opacity": "1" if outcome.status == "done" else "0.35"}
        if outcome.value is not None:
            self.strip.sheet = atlas_sheet(outcome.value, dark=self.dark)

    def _on_heads(self, *_: param.parameterized.Event) -> None:
        if not self.is_open:
            return
        n_heads = self.session.study.spec.n_heads
        try:
            places, self._no_order = self.session.heads_by(self.order.value), ""
        except VitpanelError as error:
            places, self._no_order = self.session.heads_by("layer"), public_words(error.message)
        self.strip.param.update(labels=self._labels(), order=[layer * n_heads + head for layer, head in places])
        self._show_words()

    def _show_words(self) -> None:
        """Say in the place of the strip why it cannot be seen, or in its corner what it lacks."""
        outcome = self.session.atlas
        text = self._no_order if outcome.status == "done" else f"{outcome.message} {outcome.hint}".strip()
        place = "over" if outcome.status in {"idle", "failed"} else "corner"
        self.words.object = f'<div class="{place}" role="status">{escaped(text)}</div>' if text else ""

    def _labels(self) -> list[list[str]]:
        spec = self.session.study.spec
        heads = [divmod(flat, spec.n_heads) for flat in range(spec.n_layers * spec.n_heads)]
        notes = {place: [head_name(*place), *([] if spec.has_head(*place) else ["none"])] for place in heads}
        try:
            for place, entropy in zip(heads, self._entropy(), strict=True):
                notes[place] += [f"entropy {entropy:.2f}"] if spec.has_head(*place) else []
        except VitpanelError:
            pass
        try:
            title = metric_of(self.session.selection.metric).title
            ranked = self.session.heads_by("importance")
            for rank, place in enumerate(ranked, 1):
                notes[place].append(f"{title}: rank {rank} of {len(ranked)}")
        except VitpanelError:
            pass
        if self.order.value == LIKENESS:
            self._add_distances(notes)
        return [[short_head_name(*place), " · ".join(notes[place])] for place in heads]

    def _add_distances(self, notes: dict[tuple[int, int], list[str]]) -> None:
        """Say how far each head's pattern is from the chosen head's."""
        try:
            distances = self.session.pattern_distances()
        except VitpanelError:
            return
        name = short_head_name(*self.session.chosen_head)
        for place, words in notes.items():
            if np.isfinite(distances[place]):
                words.append(f"pattern {distances[place]:.3g} away from {name}")

    def _on_choice(self, *_: param.parameterized.Event) -> None:
        if self.order.value == LIKENESS:
            self._on_heads()
        layer, head = self.session.chosen_head
        self.strip.chosen = layer * self.session.study.spec.n_heads + head

    def _on_message(self, message: Any) -> None:
        place = message.data.get("choose")
        if place in self.strip.order:  # flat places, which have gaps where layers lack heads
            self.session.selection.choose_head(*divmod(place, self.session.study.spec.n_heads))
