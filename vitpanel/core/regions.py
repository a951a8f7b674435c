"""Regions of an attention matrix and the paper's six pruning modes."""

from dataclasses import dataclass
from enum import Enum, IntEnum

import numpy as np

from vitpanel.core.grid import Grid


class Region(Enum):
    """A block of the attention matrix, named source → target (Fig. 4A)."""

    CLS_CLS = "CLS→CLS"
    CLS_PATCH = "CLS→patches"
    PATCH_CLS = "patches→CLS"
    PATCH_PATCH = "patches→patches"
    EXTRA = "extra tokens"


class PruningMode(IntEnum):
    """What is set to 0 in a head's attention (section 5.2.3, Fig. 4B)."""

    NONE = 0
    HEAD = 1
    CLS_CLS = 2
    CLS_PATCHES = 3
    CLS_RELATED = 4
    PATCHES = 5

    @property
    def regions(self) -> frozenset[Region]:
        """The regions that this mode prunes."""
        return _REGIONS[self]

    @property
    def label(self) -> str:
        """What the mode prunes, in words."""
        return _LABELS[self]


_REGIONS = {
    PruningMode.NONE: frozenset[Region](),
    PruningMode.HEAD: frozenset(Region),
    PruningMode.CLS_CLS: frozenset({Region.CLS_CLS}),
    PruningMode.CLS_PATCHES: frozenset({Region.CLS_PATCH, Region.PATCH_CLS}),
    PruningMode.CLS_RELATED: frozenset({Region.CLS_CLS, Region.CLS_PATCH, Region.PATCH_CLS}),
    PruningMode.PATCHES: frozenset({Region.PATCH_PATCH}),
}
_LABELS = {
    PruningMode.NONE: "unpruned",
    PruningMode.HEAD: "the whole head",
    PruningMode.CLS_CLS: "CLS→CLS",
    PruningMode.CLS_PATCHES: "CLS↔patches",
    PruningMode.CLS_RELATED: "everything to or from CLS",
    PruningMode.PATCHES: "patches→patches",
}


@dataclass(frozen=True)
class HeadPruning:
    """What is pruned of one head: by default all of it."""

    layer: int
    head: int
    regions: frozenset[Region] = frozenset(Region)


def region_mask(grid: Grid, region: Region) -> np.ndarray:
    """Entries of an attention matrix that belong to a region.

    Returns
    -------
    Boolean ``(n_tokens, n_tokens)``, rows are source tokens. The five regions are disjoint and cover the matrix; the
    CLS regions are empty for a model without CLS, and `Region.EXTRA` holds every row and column of a token that is
    neither CLS nor patch.
    """
    is_patch = np.arange(grid.n_tokens) >= grid.n_prefix
    is_cls = np.arange(grid.n_tokens) == (-1 if grid.cls is None else grid.cls)
    extra = ~(is_patch | is_cls)
    source_target = {
        Region.CLS_CLS: (is_cls, is_cls),
        Region.CLS_PATCH: (is_cls, is_patch),
        Region.PATCH_CLS: (is_patch, is_cls),
        Region.PATCH_PATCH: (is_patch, is_patch),
    }
    if region is Region.EXTRA:
        return extra[:, None] | extra
    source, target = source_target[region]
    return source[:, None] & target


def pruning_mask(grid: Grid, regions: frozenset[Region]) -> np.ndarray:
    """Entries that pruning these regions sets to 0, boolean ``(n_tokens, n_tokens)``."""
    mask = np.zeros((grid.n_tokens, grid.n_tokens), bool)
    for region in regions:
        mask |= region_mask(grid, region)
    return mask


def is_defined(mode: PruningMode, grid: Grid) -> bool:
    """Whether a mode prunes anything that this model has; mode 0 always does."""
    return mode is PruningMode.NONE or bool(pruning_mask(grid, mode.regions).any())
