"""Which heads look at a part of an image."""

from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from vitpanel.elements.live import Live, on_received
from vitpanel.elements.streams import Chart, Frame, Layer, Shown, on_tap, present
from vitpanel.elements.style import FIGURE, dressed, layer_ticks
from vitpanel.errors import ChoiceError
from vitpanel.state.brush import Brush, mask_of
from vitpanel.state.queries.brush_shares import FROM_CLS
from vitpanel.state.queries.marks import MARKS, with_marks
from vitpanel.state.queries.token_set import COLUMNS, token_set_table
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
from vitpanel.theme.palette import CHOSEN
from vitpanel.theme.shares import share_colours

SHARE_COLUMNS = ("image", *COLUMNS, *MARKS)
NO_TOKENS = "No tokens are brushed."
HOW_TO_BRUSH = "Give them as tokens=vitpanel.brush.PatchBlock((2, 4), (3, 5)), or mark them in the selection."


def token_shares(
    study: Study,
    selection: Selection | None = None,
    *,
    table: bool = False,
    tokens: Brush | None = None,
    source: str | None = None,
    image: int | None = None,
    live: Live = True,
) -> Any:
    """How much of each head's attention on an image goes to the brushed tokens, by layer and head.

    A click chooses a head.

    Parameters
    ----------
    selection
        What the chart follows and writes to; None draws it once.
    table
        Whether to return the table behind it, with the columns `SHARE_COLUMNS` of this module: the share of the
        attention of CLS, and the mean over that of all patches; see `vitpanel.state.queries.token_set.token_shares`.
    tokens
        The set; None takes the brushed tokens of the selection.
    source
        Which of the two is drawn, ``"cls"`` or ``"patches"``; a model without CLS has the latter alone.
    image
        On which image.
    live
        The model that is asked, as of `attention_heatmap`. Without one, the share of CLS is what the study stores, and
        that of the patches is NaN.

    Raises
    ------
    ChoiceError
        If no tokens are given and none are brushed; without a selection, or with ``table``.
    InferenceError
        If there is no model.
    """

    def ask(study: Study, seen: Selection, received: np.ndarray | None) -> pd.DataFrame:
        if seen.tokens is None or seen.image is None:
            raise ChoiceError(NO_TOKENS, hint=HOW_TO_BRUSH)
        shares = token_set_table(study, mask_of(study, seen.tokens), image=seen.image, received=received)
        return with_marks(shares.assign(image=seen.image), study, seen).reindex(columns=list(SHARE_COLUMNS))

    follows = ("image", "tokens", "share_source", "layer", "head", "pinned", "heads")
    layers = (Layer(_shares, on_tap(_choose_head)), Layer(_chosen_head))
    chart = Chart(on_received(ask, live), SHARE_COLUMNS, follows, layers, needs_image=True)
    return present(chart, study, selection, table=table, tokens=tokens, share_source=source, image=image)


def _shares(frame: Frame) -> hv.Rectangles:
    has_cls, spec = frame.study.spec.grid.cls is not None, frame.study.spec
    column = "from_cls" if has_cls and frame.seen.share_source == FROM_CLS else "from_patches"
    table = frame.table.dropna(subset=[column]).assign(share=lambda table: table[column])
    sides = table.assign(left=table["layer"] - 0.5, right=table["layer"] + 0.5)
    sides = sides.assign(bottom=table["head"] - 0.5, top=table["head"] + 0.5)
    most = table["share"].to_numpy(float).max(initial=0)
    origin = "CLS" if column == "from_cls" else "all patches"
    n = 0 if frame.seen.tokens is None else int(mask_of(frame.study, frame.seen.tokens).sum())
    words = f"{frame.who}: share of attention from {origin} to {'1 token' if n == 1 else f'{n} tokens'}"
    return dressed(
        hv.Rectangles(sides, ["left", "bottom", "right", "top"], ["share", "layer", "head"]),
        **FIGURE,
        color="share",
        cmap=list(share_colours(np.empty(0)).ramp),
        clim=(0, most if most > 0 else 1),
        colorbar=True,
        line_color="white",
        tools=["hover", "tap"],
        title=frame.title(words),
        xlabel="layer",
        ylabel="head",
        xticks=layer_ticks(spec.n_layers),
        yticks=list(range(spec.n_heads)),
        xlim=(-0.5, spec.n_layers - 0.5),
        ylim=(-0.5, spec.n_heads - 0.5),
    )


def _chosen_head(frame: Frame) -> hv.Rectangles:
    layer, head = frame.seen.chosen_head
    box = [] if frame.error is not None else [(layer - 0.5, head - 0.5, layer + 0.5, head + 0.5)]
    return dressed(hv.Rectangles(box), fill_alpha=0, line_color=CHOSEN, line_width=2.5)


def _choose_head(shown: Shown, x: float, y: float) -> None:
    layer, head = round(x), round(y)
    if shown.study.spec.has_head(layer, head):
        shown.selection.choose_head(layer, head)
