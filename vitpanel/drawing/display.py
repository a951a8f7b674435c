"""What a picture of one attention matrix needs: token kinds, links, histogram, threshold, and sizes that fit."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitpanel.core.grid import CLS, Grid
from vitpanel.core.pooling import cell_of_patch, max_between, sorted_groups

KINDS = ("patch", "extra", "cls")
SCALES = ("linear", "square root", "log")
# How attention lies over an image: as light on it, or by covering what is not attended to.
MASKS = HEAT, CUT_OUT = ("heat", "cut-out")
LOG_DECADES = 3
# Of values of the matrix below the threshold, and what stands on the bars of its colours, by kind.
FADED = 0.22
BAR_TICKS = (0, 0.25, 0.5, 0.75, 1)
BAR_TITLES = {"cls": "to or from CLS", "patch": "patch → patch", "extra": "to or from an extra token"}
MAX_LINKS = 40_000
MAX_DISPLAY_TOKENS = 600
N_BINS = 60
LOWEST_SHARE_OF_MAX = 1e-5
DARKEST_PART = 8
NEAR_EDGE = 1e-3
CLS_WIDTH = 10
EXTRA_WIDTH = 3
MAX_SHARE = 10


@dataclass(frozen=True)
class Histogram:
    """Counts ``(n_bins,)`` between logarithmic edges ``(n_bins + 1,)``."""

    counts: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True)
class HeadDisplay:
    """All that is drawn of one head on one image.

    ``matrix`` is the attention, float32 ``(n_tokens, n_tokens)``; ``pooled`` is the same with patches pooled by
    `pooled_matrix`, ``links`` the entries drawn as lines (see `strongest_links`), ``limits`` the value of the darkest
    colour of each of `KINDS`.
    """

    matrix: np.ndarray
    pooled: np.ndarray
    links: np.ndarray
    histogram: Histogram
    limits: tuple[float, ...]


def head_display(attention: np.ndarray, grid: Grid) -> HeadDisplay:
    """Derive what is drawn from ``(n_tokens, n_tokens)`` attention."""
    matrix = np.ascontiguousarray(attention, dtype=np.float32)
    return HeadDisplay(
        matrix,
        pooled_matrix(matrix, grid),
        strongest_links(matrix),
        value_histogram(matrix),
        colour_limits(matrix, grid),
    )


def token_kinds(grid: Grid) -> np.ndarray:
    """Index into `KINDS` of each token, uint8; the kind of a link is the larger one of its two tokens."""
    prefix = [2 if kind == CLS else 1 for kind in grid.prefix]
    return np.array(prefix + [0] * grid.size, dtype=np.uint8)


@lru_cache(maxsize=8)
def _link_kinds(grid: Grid) -> np.ndarray:
    kinds = token_kinds(grid)
    return np.maximum(kinds[:, None], kinds)


def threshold_value(attention: np.ndarray, share: float) -> float:
    """Smallest of the largest ``share`` of all values, at least one of them."""
    flat = attention.ravel()
    # Less a little, so that a share found by `share_above` is not rounded up to one value more.
    count = min(max(math.ceil(share * flat.size - 1e-6), 1), flat.size)
    return float(np.partition(flat, -count)[-count])


def share_above(attention: np.ndarray, value: float) -> float:
    """Share of the entries that are at least ``value``, of one entry at the least."""
    return max(int((attention >= value).sum()), 1) / attention.size


def strongest_links(attention: np.ndarray, limit: int = MAX_LINKS) -> np.ndarray:
    """Indices into the flat matrix of its ``limit`` largest entries, uint32 ``(n_links,)``.

    Weakest first, so that what is drawn last is strongest; source and target are ``divmod(index, n_tokens)``.
    """
    flat = attention.ravel()
    limit = min(limit, flat.size)
    largest = np.argpartition(flat, -limit)[-limit:].astype(np.uint32)
    return largest[np.lexsort((largest, flat[largest]))]


def value_histogram(attention: np.ndarray, n_bins: int = N_BINS) -> Histogram:
    """Histogram over the logarithm of the values.

    Values below 1e-5 of the largest one, zeros among them, are counted in the first bin.
    """
    values = attention.ravel()
    high = float(values.max())
    if high <= 0:
        return Histogram(np.array([values.size] + [0] * (n_bins - 1)), np.geomspace(1e-6, 1, n_bins + 1))
    lowest = float(values.min(initial=high, where=values > 0))
    low = min(max(lowest, high * LOWEST_SHARE_OF_MAX), high / 10)
    edges = np.geomspace(low, high, n_bins + 1)
    edges[0], edges[-1] = low, high
    return Histogram(_counts(values, edges), edges)


def _counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """What `numpy.histogram` counts between logarithmic edges, four times as fast; what is lower goes to the first."""
    n_bins = len(edges) - 1
    place = np.log(np.maximum(values, np.float32(edges[0])))
    place -= np.float32(math.log(edges[0]))
    place *= np.float32(n_bins / math.log(edges[-1] / edges[0]))
    bins = np.clip(place.astype(np.int32), 0, n_bins - 1)
    # Rounding may put a value one bin aside where it lies at an edge: those are compared with the edges.
    near = np.flatnonzero(np.abs(place - np.rint(place)) < NEAR_EDGE)
    bins[near] = np.clip(np.searchsorted(edges, values[near].astype(np.float64), side="right") - 1, 0, n_bins - 1)
    return np.bincount(bins, minlength=n_bins)


def colour_limits(attention: np.ndarray, grid: Grid) -> tuple[float, ...]:
    """Value of the darkest colour of each of `KINDS`, so that a few peaks do not pale the rest.

    Of N values of a kind the √N / 8 largest (an eighth of a diagonal) share the darkest colour. NaN for a kind of
    link that the grid does not have.
    """
    kinds = _link_kinds(grid)
    limits = [math.nan] * len(KINDS)
    for kind in range(len(KINDS)):
        group = attention[kinds == kind]
        if group.size:
            rank = max(round(math.sqrt(group.size) / DARKEST_PART), 1)
            limits[kind] = float(np.partition(group, -rank)[-rank])
    return tuple(limits)


def pooling_step(grid: Grid) -> int:
    """Patches along each side of a square that is shown as one cell; 1 up to 600 tokens."""
    step = 1
    while _pooled(grid, step).n_tokens > MAX_DISPLAY_TOKENS:
        step += 1
    return step


def _pooled(grid: Grid, step: int) -> Grid:
    return Grid(math.ceil(grid.rows / step), math.ceil(grid.cols / step), grid.prefix)


def display_grid(grid: Grid) -> Grid:
    """Grid of the cells of a pooled matrix; the grid itself up to 600 tokens."""
    return _pooled(grid, pooling_step(grid))


def display_names(grid: Grid) -> list[str]:
    """Names of the rows and columns of a pooled matrix."""
    step, cells = pooling_step(grid), display_grid(grid)
    if step == 1:
        return [grid.label(token) for token in range(grid.n_tokens)]
    names = [grid.label(token) for token in range(grid.n_prefix)]
    for cell in range(cells.size):
        row, col = (place * step for place in divmod(cell, cells.cols))
        last_row, last_col = min(row + step, grid.rows) - 1, min(col + step, grid.cols) - 1
        names.append(f"patches (rows {row} to {last_row}, columns {col} to {last_col})")
    return names


def axis_edges(grid: Grid, *, with_extra: bool = True) -> list[float]:
    """Where each token begins along an axis, and where the last one ends, in units of a patch.

    CLS is ten patches wide where that is no more than a tenth of all; tokens that are not shown have no width.
    """
    widths = {CLS: CLS_WIDTH}
    most = max(grid.size / MAX_SHARE, 1)
    prefix = [min(widths.get(kind, EXTRA_WIDTH * with_extra), most) for kind in grid.prefix]
    return [0.0, *np.cumsum([*prefix, *[1.0] * grid.size]).tolist()]


def pooled_matrix(attention: np.ndarray, grid: Grid) -> np.ndarray:
    """Maximum over squares of patches on both sides; prefix tokens stay. Up to 600 tokens the matrix itself."""
    step = pooling_step(grid)
    if step == 1:
        return attention
    owner = np.concatenate([np.arange(grid.n_prefix), grid.n_prefix + cell_of_patch(grid, step)])
    return np.ascontiguousarray(max_between(attention, *sorted_groups(owner)))
