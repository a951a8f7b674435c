"""Ranges of numbers, both ends included: what lies in one, and how it is said."""

import numpy as np


def is_within(values: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """Which values lie in a range; None for no end. NaN lies in none."""
    return (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))


def range_words(low: float | None, high: float | None) -> str:
    """Say a range, as in "at least 0.1 and at most 0.5"."""
    ends = [f"{word} {end:g}" for word, end in (("at least", low), ("at most", high)) if end is not None]
    return " and ".join(ends) or "known"
