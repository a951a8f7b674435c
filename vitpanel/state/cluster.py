"""D1: what can be said of the heads that a person brushed."""

import math
from dataclasses import dataclass

import numpy as np

from vitpanel.core.patterns import pooled_side
from vitpanel.drawing.points import spread_out
from vitpanel.errors import StudyIncompleteError
from vitpanel.state.brush import IMAGE, INSTANCE, Brush, mask_of, mask_shape
from vitpanel.state.pattern_map import PatternMap, pattern_map
from vitpanel.study.reader import Study

N_EXAMPLES = 6
MOST_AVERAGED = 2000
TOP_ENTRIES = "patterns/patch_top"


@dataclass(frozen=True)
class ClusterPart:
    """How much of a cluster is one head: how many of its points, and their share of the cluster and of the head."""

    layer: int
    head: int
    count: int
    share: float
    share_of_head: float


@dataclass(frozen=True)
class ClusterSummary:
    """What a cluster is made of.

    Parameters
    ----------
    n_heads, n_images
        Heads on images in the cluster, and on how many different images they are.
    parts
        The (layer, head) that it is made of, the most frequent first.
    mean_map
        Share of the cluster's heads in whose binarised A_patch an entry is one, ``(q, q)``; None when the study does
        not have them, then ``reason`` says why.
    n_averaged
        How many heads that mean is over: all of them, or as many as are read in a moment, evenly spaced.
    examples
        Image, layer and head of up to six that are spread over the cluster, the most central first.
    """

    n_heads: int
    n_images: int
    parts: tuple[ClusterPart, ...]
    mean_map: np.ndarray | None
    reason: str
    n_averaged: int
    examples: tuple[tuple[int, int, int], ...]


def cluster_rows(study: Study, brush: Brush) -> np.ndarray:
    """Rows of the heads on images that are brushed, ascending, int32.

    A brushed head is so on all images, and with a brushed image all of its heads are.
    """
    mask = mask_of(study, brush)
    mask = np.broadcast_to(mask[:, None, None] if brush.item == IMAGE else mask, mask_shape(study, INSTANCE))
    return np.flatnonzero(mask).astype(np.int32)


def cluster_summary(study: Study, brush: Brush, pattern: str) -> ClusterSummary:
    """Say what the heads are that are brushed.

    Parameters
    ----------
    brush
        Of heads, or of heads on images.
    pattern
        Name of the layout in which examples are spread out; heads without coordinates there are left aside.

    Raises
    ------
    StudyIncompleteError
        If no head is brushed, or the study does not have the layout.
    """
    found = pattern_map(study, pattern)
    rows = cluster_rows(study, brush)
    rows = rows[np.isfinite(found.coordinates(rows)[0])]
    if not len(rows):
        message = "No head lies inside."
        raise StudyIncompleteError(message, hint="Draw around some points, or take the neighbours of the chosen head.")
    image, layer, head = np.unravel_index(rows, found.shape)
    mean, reason, n_averaged = _mean_map(study, np.stack([image, layer, head]))
    examples = tuple(found.head(int(rows[i])) for i in spread_out(*found.coordinates(rows), N_EXAMPLES))
    parts = _parts(found, layer * found.shape[2] + head)
    return ClusterSummary(len(rows), len(np.unique(image)), parts, mean, reason, n_averaged, examples)


def _parts(found: PatternMap, kinds: np.ndarray) -> tuple[ClusterPart, ...]:
    n_kinds = found.shape[1] * found.shape[2]
    counts, everywhere = (np.bincount(k, minlength=n_kinds) for k in (kinds, found.rows % n_kinds))
    share, share_of_head = counts / len(kinds), counts / np.maximum(everywhere, 1)
    order = np.argsort(-counts, kind="stable")
    return tuple(
        ClusterPart(*divmod(int(k), found.shape[2]), int(counts[k]), float(share[k]), float(share_of_head[k]))
        for k in order[: np.count_nonzero(counts)]
    )


def _mean_map(study: Study, heads: np.ndarray) -> tuple[np.ndarray | None, str, int]:
    """Mean of the binarised A_patch of heads ``(3, n)``: image, layer, head; or the reason why there is none."""
    if reason := study.reason(TOP_ENTRIES):
        return None, reason, 0
    image, layer, head = heads[:, :: max(1, -(-heads.shape[1] // MOST_AVERAGED))]
    n_cells, size = math.prod(pooled_side(study.spec.grid)), study.manifest.block_size
    total = np.zeros(n_cells**2)
    for block in np.unique(image // size):
        own = image // size == block
        entries = study.block(TOP_ENTRIES, int(block))[image[own] % size, layer[own], head[own]]
        total += np.bincount(entries.ravel(), minlength=n_cells**2)
    return (total / len(image)).reshape(n_cells, n_cells), "", len(image)
