"""Where elements get the live model from."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import vitpanel
from vitpanel.core.pruned_head import PrunedHead
from vitpanel.drawing.display import HeadDisplay, head_display
from vitpanel.state.live import LiveModel, attention_of, modes_of, received_of
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

Live = LiveModel | bool
# What a picture of attention follows.
FOLLOWS = ("image", "layer", "head")


def on_modes(query: Callable[[Study, Selection, PrunedHead], pd.DataFrame], live: Live) -> Callable[..., pd.DataFrame]:
    """A question that needs the pruning modes of the chosen head, as one of study and selection alone."""

    def ask(study: Study, selection: Selection) -> pd.DataFrame:
        return query(study, selection, modes_of(study, selection, _model(study, live)))

    return ask


def on_received(
    query: Callable[[Study, Selection, np.ndarray | None], pd.DataFrame], live: Live
) -> Callable[..., pd.DataFrame]:
    """A question that needs what each token receives, None without a model, as one of study and selection alone."""

    def ask(study: Study, selection: Selection) -> pd.DataFrame:
        model = _model(study, live)
        return query(study, selection, None if model is None else received_of(study, selection, model))

    return ask


class Displays:
    """What is derived from the attention of heads; that of the head that was asked last is kept.

    Parameters
    ----------
    live
        The model, as elements take it.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._kept: tuple[Any, HeadDisplay] | None = None

    def of(self, study: Study, selection: Selection) -> HeadDisplay:
        """What is drawn of the chosen head on the chosen image; raises as `attention_of`."""
        key = (selection.image, *selection.chosen_head)
        if self._kept is None or self._kept[0] != key:
            attention = attention_of(study, selection, _model(study, self._live))
            self._kept = key, head_display(attention, study.spec.grid)
        return self._kept[1]

    def asked(self, query: Callable[[Study, Selection, HeadDisplay], pd.DataFrame]) -> Callable[..., pd.DataFrame]:
        """A question that needs what is derived, as one of study and selection alone."""

        def ask(study: Study, selection: Selection) -> pd.DataFrame:
            return query(study, selection, self.of(study, selection))

        return ask


def _model(study: Study, live: Live) -> LiveModel | None:
    """The model to be asked; the one of the package is looked up by name, since it stands above."""
    if live is True:
        return vitpanel.live_model(study)
    return None if live is False else live
