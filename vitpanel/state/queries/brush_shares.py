"""How much of each head is in a brush, or goes to what is in it: one number a head, to be drawn wherever heads are."""

from dataclasses import dataclass

import numpy as np

from vitpanel.state.brush import HEAD, Brush, mask_of
from vitpanel.state.online import IDLE, Online
from vitpanel.state.queries.instances import images_per_head, share_of_images
from vitpanel.state.queries.token_set import stored_cls_shares, token_shares
from vitpanel.study.reader import Study

SOURCES = FROM_CLS, FROM_PATCHES = "cls", "patches"
NOT_STORED = "The study does not store what goes to these tokens; the live model tells it."
COMPUTING = "computing …"


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
    is_coming
        Whether the live model is at it, so that numbers follow.
    """

    values: np.ndarray
    title: str
    reason: str = ""
    is_coming: bool = False


def shares_of_heads(study: Study, brush: Brush) -> BrushShares:
    """Share of the images that are done on which each head is brushed; of a brush of heads 1 or 0.

    Raises
    ------
    BrushError
        If the brush is none of heads.
    """
    mask = mask_of(study, brush)
    n_images = mask * study.n_done if brush.item == HEAD else images_per_head(mask)
    title = "brushed heads" if brush.item == HEAD else "share of the images on which the head is brushed"
    return BrushShares(share_of_images(study, n_images), title)


def shares_of_tokens(
    study: Study, brush: Brush, *, image: int | None, source: str, received: Online[np.ndarray] = IDLE
) -> BrushShares:
    """Share of each head's attention on an image that goes to the brushed tokens.

    Parameters
    ----------
    image
        Whose attention; None for no image, of which nothing is known.
    source
        `FROM_CLS`, or `FROM_PATCHES` for the mean over all patches; a model without CLS has the latter alone.
    received
        What the live model says of this image, see `vitpanel.state.answers.Answers`. Until it has answered, and without
        it, the numbers are what the study stores.
    """
    tokens = mask_of(study, brush)
    n = int(tokens.sum())
    source = FROM_PATCHES if study.spec.grid.cls is None else source
    origin = "CLS" if source == FROM_CLS else "all patches"
    title = f"share of attention from {origin} to {'the brushed token' if n == 1 else f'{n} brushed tokens'}"
    unknown = np.full((study.spec.n_layers, study.spec.n_heads), np.nan)
    if image is None:
        return BrushShares(unknown, title, "Attention is of one image. Choose one.")
    if received.value is not None:
        values = token_shares(received.value, tokens)[SOURCES.index(source)]
    else:
        values = stored_cls_shares(study, image, tokens) if source == FROM_CLS else unknown
    if not np.isnan(values).all():
        return BrushShares(values, title)
    is_coming = received.status == "running"
    said = f"{received.message} {received.hint}".strip() if received.status == "failed" else study.attention_reason
    return BrushShares(values, title, COMPUTING if is_coming else said or NOT_STORED, is_coming)
