"""The brush of tokens in Attention Detail: how it is drawn, typed and cleared, and whose attention to it counts."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import panel as pn
import param

from vitpanel.core.token_names import words_of_tokens
from vitpanel.errors import VitpanelError
from vitpanel.state.brush import brush_of_tokens, mask_of
from vitpanel.state.queries.brush_shares import FROM_CLS, FROM_PATCHES
from vitpanel.state.session import Session
from vitpanel.views.bridge import Bridge
from vitpanel.views.brush_ways import way_of
from vitpanel.views.controls import create_button, create_choice, linked
from vitpanel.views.figures.head_pictures import HeadPictures
from vitpanel.views.figures.token_marks import TokenMarks, dragged_tokens

SOURCES = {"from CLS": FROM_CLS, "from all patches": FROM_PATCHES}
_SMALL = ".bk-btn-group > .bk-btn.bk-btn { height: 22px; padding: 0 5px; font-size: 11px; }"


class TokenBrush:
    """Writes drags over tokens to the selection, and shows which tokens are brushed.

    Parameters
    ----------
    session
        Whose brush of tokens it is.
    bridge
        The session's.
    pictures
        Whose drags are heard, and where the brush is seen.
    """

    def __init__(self, session: Session, bridge: Bridge, pictures: HeadPictures) -> None:
        self.session, self._bridge, self._pictures = session, bridge, pictures
        self._grid = session.study.spec.grid
        self.marks = TokenMarks(pictures, self._grid)
        pictures.dragged.on_change("data", self._on_dragged)

    @property
    def tokens(self) -> np.ndarray:
        """The brushed tokens, ascending; none where the study lacks what the brush speaks of."""
        brush = self.session.selection.tokens
        try:
            return np.flatnonzero([] if brush is None else mask_of(self.session.study, brush))
        except VitpanelError:
            return np.zeros(0, np.int64)

    @property
    def words(self) -> str:
        """The brushed tokens as a person may type them; empty for none."""
        return words_of_tokens(self._grid, self.tokens.tolist())

    def draw(self) -> None:
        """Tell the browser which tokens are brushed, and mark them."""
        tokens = self.tokens
        if tokens.tolist() != list(self._pictures.brushed.data["token"]):
            self._pictures.brushed.data = {"token": tokens.tolist()}
        is_in = np.isin(np.arange(self._grid.n_tokens), tokens)
        self.marks.draw(is_in, with_extra=self.session.selection.extra)

    def mark(self, tokens: Sequence[int], *, held: str = "") -> None:
        """Brush tokens, as the keys that are held say, else as the selection does; a token that is kept is let go.

        It would be shown in the place of the brushed ones.
        """
        selection = self.session.selection
        with param.parameterized.batch_call_watchers(selection):
            selection.token = None
            selection.mark(brush_of_tokens(self._grid, tokens), how=held or selection.way)

    @cached_property
    def bar(self) -> pn.Row:
        """Whose attention to the brushed tokens is told on the page, and the way to clear them."""
        selection = self.session.selection
        clear = create_button("Unbrush the tokens", sign="×", width=26)
        clear.on_click(lambda _: selection.param.update(tokens=None))
        parts: list[Any] = [clear]
        if self._grid.cls is not None:
            description = "Whose attention to the brushed tokens is told of each head, all over the page"
            choice = create_choice(SOURCES, selection.share_source, margin=(3, 0), description=description)
            choice.stylesheets = [*choice.stylesheets, _SMALL]
            parts = [linked(choice, selection, "share_source"), clear]
        return pn.Row(*parts, margin=0, height=28, styles={"flex": "none"})

    def _on_dragged(self, _attr: str, _old: object, new: dict[str, Any]) -> None:
        (kind,), (x,), (y,), (held,) = (new[name] for name in ("kind", "x", "y", "held"))
        tokens = dragged_tokens(self._grid, kind, x=x, y=y, with_extra=self.session.selection.extra)
        if len(tokens):
            self.mark(tokens.tolist(), held=way_of(held))
