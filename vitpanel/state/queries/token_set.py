"""Which heads attend to a set of tokens of an image."""

import numpy as np
import pandas as pd

from vitpanel.state.queries.marks import all_heads
from vitpanel.study.kept import kept_with_study
from vitpanel.study.reader import Study

COLUMNS = ("layer", "head", "from_cls", "from_patches")
STORED = "patterns/cls"


def token_shares(received: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Share of the attention that goes to a set S of tokens: the sum of what its tokens receive.

    from_cls = Σ_{t ∈ S} A[CLS, t],
    from_patches = (1 / P) · Σ_{i ∈ patches} Σ_{t ∈ S} A[i, t], with P patches.

    A head that attends to all tokens alike gives the set its share of the tokens.

    Parameters
    ----------
    received
        As `vitpanel.core.received.received_attention` gives it, ``(2, …, n_tokens)``. Not modified.
    tokens
        S, bool ``(n_tokens,)``.

    Returns
    -------
    ``from_cls`` and ``from_patches``, float64 ``(2, …)`` in [0, 1] but for rounding; NaN where ``received`` is, also of
    no tokens.
    """
    shares = received[..., tokens].sum(-1, dtype=np.float64)
    return np.where(np.isnan(received[..., 0]), np.nan, shares)


def stored_cls_shares(study: Study, image: int, tokens: np.ndarray) -> np.ndarray:
    """``from_cls`` of `token_shares` for all heads of an image from what the study stores, without a model.

    Returns
    -------
    float64 ``(n_layers, n_heads)``, within the rounding of float16. NaN for an image that is not done, and all NaN
    where the study does not say it: for a model without CLS, and for sets with tokens that are neither CLS nor patch.
    """
    spec, grid = study.spec, study.spec.grid
    is_extra = np.arange(grid.n_tokens) < grid.n_prefix
    if grid.cls is not None:
        is_extra[grid.cls] = False
    if STORED not in study or tokens[is_extra].any() or not study.done_images[image]:
        return np.full((spec.n_layers, spec.n_heads), np.nan)
    in_set = np.append(tokens[grid.cls], tokens[grid.patches])
    return _rows_of_cls(study, image)[..., in_set].sum(-1, dtype=np.float64)


def token_set_table(
    study: Study, tokens: np.ndarray, *, image: int, received: np.ndarray | None = None
) -> pd.DataFrame:
    """Share of each head's attention that goes to a set of tokens, one row a head; see `token_shares`.

    Parameters
    ----------
    tokens
        The set, bool ``(n_tokens,)``.
    image
        Whose tokens they are.
    received
        What each token of the image receives in all heads, as the live model tells it.

    Returns
    -------
    The columns `COLUMNS`. Without ``received``, ``from_cls`` is what the study stores, and ``from_patches`` is NaN: no
    study stores what each patch gets from all others.
    """
    if received is None:
        from_cls = stored_cls_shares(study, image, tokens)
        from_patches = np.full(from_cls.shape, np.nan)
    else:
        from_cls, from_patches = token_shares(received, tokens)
    return all_heads(study).assign(from_cls=from_cls.ravel(), from_patches=from_patches.ravel())


@kept_with_study(8)
def _rows_of_cls(study: Study, image: int) -> np.ndarray:
    """A[CLS, CLS] and A[CLS, patches] of all heads of an image; one block is read, the whole array has gigabytes."""
    block, row = divmod(image, study.manifest.block_size)
    # A copy: a view would keep the block.
    return study.block(STORED, block)[row, ..., : 1 + study.spec.grid.size].copy()
