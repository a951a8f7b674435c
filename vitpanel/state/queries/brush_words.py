"""How much is brushed, in words."""

import numpy as np

from vitpanel.state.brush import HEAD, IMAGE, TOKEN, Brush, mask_of
from vitpanel.state.queries.image_set import describe_set, others_mask, others_name
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study


def brush_size(study: Study, brush: Brush) -> str:
    """How many items of a study a brush has and what they are made of, as plain text.

    Raises
    ------
    VitpanelError
        If the study lacks what the brush speaks of.
    """
    mask = mask_of(study, brush)
    if brush.item == IMAGE:
        return " · ".join(describe_set(study, mask).parts)
    if brush.item == TOKEN:
        return _tokens(study, mask)
    mask = mask & study.spec.is_there
    if brush.item == HEAD:
        return f"{_counted(mask.sum(), 'head')} of {_counted(mask.any(axis=1).sum(), 'layer')}"
    images = _counted(mask.any(axis=(1, 2)).sum(), "image")
    return f"{_counted(mask.sum(), 'head on an image', 'heads on images')} ({images})"


def comparison(study: Study, brush: Brush | None, selection: Selection) -> str:
    """What brushed images are held against, as plain text; empty without a brush or where that are all others."""
    others = others_mask(study, selection)
    if brush is None or others is None:
        return ""
    n_both = np.count_nonzero(mask_of(study, brush) & others)
    both = f", {n_both:,} in both, which count for neither" if n_both else ""
    return f"against {others_name(selection)} ({_counted(others.sum(), 'image')}{both})"


def _tokens(study: Study, mask: np.ndarray) -> str:
    n_patches = mask[study.spec.grid.patches].sum()
    n_others = mask.sum() - n_patches
    words = _counted(n_patches, "patch", "patches")
    return f"{words} and {_counted(n_others, 'other token')}" if n_others else words


def _counted(n: int | np.integer, noun: str, plural: str = "") -> str:
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
