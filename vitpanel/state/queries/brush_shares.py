"""How much of each head is in a brush, or goes to what is in it: one number a head, to be drawn wherever heads are."""

from dataclasses import dataclass

import numpy as np

from vitpanel.state.brush import HEAD, Brush, mask_of
from vitpanel.state.queries.instances import images_per_head
from vitpanel.state.queries.token_set import stored_cls_shares
from vitpanel.study.reader import Study

FROM_CLS, FROM_PATCHES = "cls", "patches"
NOT_STORED = "The study does not store what goes to these tokens; the live model tells it."


@dataclass(frozen=True)
class BrushShares:
    """One number of every head that a brush gives it.

    Parameters
    ----------
    values
        float64 ``(n_layers, n_heads)`` in [0, 1]; NaN where it is not known, and for a head that the model lacks.
    title
        What the numbers are, for a legend or a tooltip.
    reason
        Why no number is known; empty where some are.
    """

    values: np.ndarray
    title: str
    reason: str = ""


def shares_of_heads(study: Study, brush: Brush) -> BrushShares:
    """Share of the images that are done on which each head is brushed; of a brush of heads 1 or 0.

    Raises
    ------
    BrushError
        If the brush is none of heads.
    """
    mask = mask_of(study, brush)
    n_images = mask * study.n_done if brush.item == HEAD else images_per_head(mask)
    known = study.spec.is_there & (study.n_done > 0)
    values = np.divide(n_images, study.n_done, out=np.full(n_images.shape, np.nan), where=known)
    title = "brushed heads" if brush.item == HEAD else "share of the images on which the head is brushed"
    return BrushShares(values, title)


def shares_of_tokens(study: Study, brush: Brush, *, image: int | None, source: str) -> BrushShares:
    """Share of each head's attention on an image that goes to the brushed tokens, as far as the study stores it.

    Parameters
    ----------
    image
        Whose attention; None for no image, of which nothing is known.
    source
        `FROM_CLS`, or `FROM_PATCHES` for the mean over all patches.
    """
    tokens = mask_of(study, brush)
    n = int(tokens.sum())
    origin = "CLS" if source == FROM_CLS else "all patches"
    title = f"share of attention from {origin} to {'the brushed token' if n == 1 else f'{n} brushed tokens'}"
    unknown = np.full((study.spec.n_layers, study.spec.n_heads), np.nan)
    if image is None:
        return BrushShares(unknown, title, "Attention is of one image. Choose one.")
    values = stored_cls_shares(study, image, tokens) if source == FROM_CLS else unknown
    return BrushShares(values, title, NOT_STORED if np.isnan(values).all() else "")
