"""What elements show of the brushed tokens."""

from collections.abc import Callable
from functools import partial

import holoviews as hv
import numpy as np

from vitpanel.drawing.token_sets import SEGMENTS
from vitpanel.drawing.token_sets import patch_outline as outline_of
from vitpanel.elements.streams import Frame
from vitpanel.elements.style import dressed
from vitpanel.state.brush import mask_of
from vitpanel.theme.palette import OVER_IMAGE

WIDTHS = (5, 2.5)


def brushed_on(frame: Frame) -> np.ndarray:
    """Which tokens are brushed, bool ``(n_tokens,)``; none while there is nothing to draw."""
    brush = frame.seen.tokens
    if brush is None or frame.error is not None:
        return np.zeros(frame.study.spec.grid.n_tokens, bool)
    return mask_of(frame.study, brush)


def patch_outline() -> list[Callable[[Frame], hv.Segments]]:
    """What draws the lines around brushed patches on an image, the lower first: they are seen on any image."""
    return [partial(_outline, colour=colour, width=width) for colour, width in zip(OVER_IMAGE, WIDTHS, strict=True)]


def _outline(frame: Frame, *, colour: str, width: float) -> hv.Segments:
    grid = frame.study.spec.grid
    columns = outline_of(grid, brushed_on(frame))
    ends = [columns[name] if name.startswith("x") else grid.rows - columns[name] for name in SEGMENTS]
    return dressed(hv.Segments(tuple(ends)), color=colour, line_width=width, line_cap="square")
