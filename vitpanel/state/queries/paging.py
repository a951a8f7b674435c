"""One page of a long table."""

import numpy as np


def page_of(scores: np.ndarray, start: int, count: int) -> np.ndarray:
    """Flat indices of some rows in the order of their scores: largest first, equals by index; NaN is no row.

    Parameters
    ----------
    scores
        Float, any shape; not modified. Millions are partitioned, never sorted.
    start, count
        First row of the page from 0, and most rows of it.
    """
    flat = scores.ravel()
    lowered = -flat
    stop = min(start + count, len(flat) - int(np.count_nonzero(np.isnan(flat))))
    if not 0 <= start < stop:
        return np.empty(0, np.int64)
    lowered.partition((start, stop - 1))
    highest, lowest = -lowered[start], -lowered[stop - 1]
    rows = np.flatnonzero((flat <= highest) & (flat >= lowest))
    before = int(np.count_nonzero(flat > highest))
    rows = rows[np.argsort(-flat[rows], kind="stable")]
    return rows[start - before : stop - before]
