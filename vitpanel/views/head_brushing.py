"""Brushing heads in the list beside B1: one by one, several in a row, by layer or by a number."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from vitpanel.core.metrics import metrics
from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.brush import HEAD, Brush, Ids, InRange, OfLayers, brush_of_heads, mask_of
from vitpanel.state.session import Session
from vitpanel.study.reader import Study
from vitpanel.views.background import Background
from vitpanel.views.bridge import Bridge
from vitpanel.views.brush_ways import way_of
from vitpanel.views.figures.numbers import distance_text
from vitpanel.views.figures.ranked_heads import RankedHeads


class HeadBrushing:
    """Makes brushes of what a person does in the list; says in the list why one cannot be made.

    Parameters
    ----------
    session
        Whose heads are brushed.
    bridge
        The session's.
    heads
        The list.
    """

    def __init__(self, session: Session, bridge: Bridge, heads: RankedHeads) -> None:
        self._session, self._heads = session, heads
        self._work = Background(bridge)

    def hear(self, data: Mapping[str, Any]) -> None:
        """Do what a message of the list asks for; see `RankedHeads`."""
        try:
            if "brush" in data:
                self._toggle(data["brush"])
            elif "add" in data:
                self._add(data["add"])
            elif "filter" in data:
                self._work.run(partial(head_measures, self._session.study), self._offer)
            elif "layers" in data:
                self._mark(brush_of_layers(self._session.study, *data["layers"]), data)
            elif "measure" in data:
                self._mark(brush_of_limit(self._session.study, data["measure"], data["end"], data["value"]), data)
        except VitpanelError as error:
            self._heads.refuse(public_words(f"{error.message} {error.hint}"))

    def _offer(self, measures: list[list[str]]) -> None:
        self._heads.measures = measures

    def _mark(self, brush: Brush, data: Mapping[str, Any]) -> None:
        held = {key: data.get(key) is True for key in ("shift", "ctrl", "alt")}
        self._session.selection.mark(brush, how=way_of(held) or self._session.selection.way)

    def _toggle(self, flat: Any) -> None:
        """Brush a head, or let it go; of a brush of heads on images the head on all images."""
        selection, spec = self._session.selection, self._session.study.spec
        if flat not in range(len(self._heads.names)) or not spec.has_head(*divmod(flat, spec.n_heads)):
            return
        layer, head = divmod(flat, spec.n_heads)
        shares = self._session.head_shares()
        is_in = shares is not None and shares.values[layer, head] == 1
        if selection.heads is not None and selection.heads.item != HEAD:
            selection.mark(Ids(((layer, head),), HEAD), how="subtract" if is_in else "add")
        else:
            self._brush_exactly(set(self._brushed) ^ {flat})

    def _add(self, flats: Any) -> None:
        known = {flat for flat in flats if flat in range(len(self._heads.names))}
        heads = self._session.selection.heads
        if heads is not None and heads.item != HEAD:
            self._session.selection.mark(brush_of_heads(self._session.study.spec, known), how="add")
        else:
            self._brush_exactly(known.union(self._brushed))

    @property
    def _brushed(self) -> list[int]:
        """Flat indices of the heads in a brush of heads."""
        heads = self._session.selection.heads
        return [] if heads is None else np.flatnonzero(mask_of(self._session.study, heads)).tolist()

    def _brush_exactly(self, flats: Iterable[int]) -> None:
        """Say a brush anew by its heads: one of many changes would be ever longer."""
        brush = brush_of_heads(self._session.study.spec, flats)
        self._session.selection.heads = None if brush == Ids((), HEAD) else brush


def head_measures(study: Study) -> list[list[str]]:
    """Numbers that heads can be brushed by: array, words, and from where to where the means of all heads are.

    The means of a large study take a moment when they are first asked for.
    """
    arrays = {f"importance/{metric.key}": metric.caption for metric in metrics()}
    arrays |= {"entropy": "entropy", "distance": "distance (patches)"}
    return [[name, words, _span(study.mean(name))] for name, words in arrays.items() if not study.reason(name)]


def brush_of_layers(study: Study, first: Any, last: Any) -> Brush:
    """Brush of the heads of some layers.

    Raises
    ------
    VitpanelError
        If the model has no such layers.
    """
    most = study.spec.n_layers - 1
    if first not in range(most + 1) or last not in range(most + 1) or first > last:
        message = "These are no layers of the model."
        raise VitpanelError(message, hint=f"Give two from 0 to {most}, the lower one first.")
    return OfLayers(int(first), int(last))


def brush_of_limit(study: Study, array: Any, end: Any, value: Any) -> Brush:
    """Brush of the heads whose mean is at least (``end`` is ``"low"``) or at most (``"high"``) so large.

    Raises
    ------
    VitpanelError
        If there is no such number.
    """
    if not isinstance(value, int | float) or not np.isfinite(value) or end not in {"low", "high"}:
        message = "There is no limit to hold heads against."
        raise VitpanelError(message, hint="Type a number.")
    brush = InRange(str(array), **{end: float(value)}, item=HEAD)
    mask_of(study, brush)  # raises if the study has no such number
    return brush


def _span(mean: np.ndarray) -> str:
    """Least and largest mean of a head, in words."""
    known = mean[~np.isnan(mean)]
    if not len(known):
        return "not known of any head"
    low, high = (
        distance_text(abs(end)) if end >= 0 else f"−{distance_text(-end)}" for end in (known.min(), known.max())
    )
    return f"mean of a head: {low} to {high}"
