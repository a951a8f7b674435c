"""Which heads differ between classes of images by more than chance."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from vitpanel.state.queries.class_statistics import class_codes, membership
from vitpanel.state.queries.marks import all_heads
from vitpanel.state.queries.numbers import head_numbers
from vitpanel.study.reader import Study

COLUMNS = ("layer", "head", "f", "p", "p_corrected")
N_PERMUTATIONS = 499
_ROUNDING = 1e-9


@dataclass(frozen=True)
class ClassTest:
    """F of every head, and how probable one as large is by chance, each float64 ``(n_heads,)``; NaN where undefined.

    Parameters
    ----------
    f
        Variance between classes over that within them.
    p
        Of a head that was chosen before looking.
    p_corrected
        Of the largest F of all heads: where this is below 0.05 for some heads, the chance that any of them is a false
        alarm is at most 0.05.
    """

    f: np.ndarray
    p: np.ndarray
    p_corrected: np.ndarray


def class_test_table(
    study: Study,
    array: str,
    *,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
    on_step: Callable[[int], object] = lambda _: None,
) -> pd.DataFrame:
    """Whether a number of each head differs between the classes of the images, one row a head; see `class_test`.

    Parameters
    ----------
    array
        Name of an array over images, layers and heads; see `head_numbers`, which says what is raised.

    Returns
    -------
    The columns `COLUMNS`, NaN for a head without values or without spread.
    """
    values = head_numbers(study, array).reshape(study.n_images, -1)
    codes = class_codes(study, array)[1]
    found = class_test(values, codes, n_permutations=n_permutations, seed=seed, on_step=on_step)
    return all_heads(study).assign(f=found.f, p=found.p, p_corrected=found.p_corrected)


def class_test(
    values: np.ndarray,
    codes: np.ndarray,
    *,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
    on_step: Callable[[int], object] = lambda _: None,
) -> ClassTest:
    """Permutation test of equal class means, with the largest F of all heads against their number.

    For a head with values x, N of them in K classes,

    F = [Σ_c n_c (x̄_c − x̄)² / (K − 1)] / [Σ_c Σ_{i ∈ c} (x_i − x̄_c)² / (N − K)].

    Labels are permuted over images, the same way for all heads, so that what heads have in common stays. With b of B
    permutations at least as large as what was found, p = (1 + b) / (1 + B); corrected, the largest F of all heads in
    each permutation is what is compared.

    Parameters
    ----------
    values
        ``(n_images, n_heads)``; NaN is left out. Not modified.
    codes
        Class of each image, ``(n_images,)``; those below 0 are left out.
    seed
        The same seed gives the same p.
    on_step
        Called before each permutation with how many are done, for whoever waits; what it raises ends the test.

    References
    ----------
    Westfall and Young 1993, Resampling-Based Multiple Testing (single step, the largest statistic); Phipson and Smyth
    2010, Permutation P-values Should Never Be Zero.
    """
    rows = (codes >= 0) & ~np.isnan(values).all(axis=1)
    values, codes = values[rows].astype(np.float64), codes[rows]
    known = ~np.isnan(values)
    n = known.sum(0)
    mean = np.divide(np.where(known, values, 0).sum(0), n, out=np.zeros(n.shape), where=n > 0)
    centred = np.where(known, values - mean, 0)
    total = np.einsum("ij,ij->j", centred, centred)
    f_of = partial(_f, centred, total=total, known=None if known.all() else known.astype(np.float64))
    found = f_of(codes)
    rng = np.random.default_rng(seed)
    as_large, largest_as_large = np.zeros(len(found)), np.zeros(len(found))
    # Sums in another order differ in the last bits: a permutation that changes nothing is as large.
    limit = found * (1 - _ROUNDING)
    for n_done in range(n_permutations):
        on_step(n_done)
        permuted = f_of(rng.permutation(codes))
        as_large += permuted >= limit
        largest_as_large += np.max(permuted, initial=0, where=~np.isnan(permuted)) >= limit
    p = (1 + np.stack([as_large, largest_as_large])) / (1 + n_permutations)
    return ClassTest(found, *np.where(np.isnan(found), np.nan, p))


def _f(centred: np.ndarray, codes: np.ndarray, *, total: np.ndarray, known: np.ndarray | None) -> np.ndarray:
    """F of each head; infinite where classes have no spread within, NaN where there is none at all or one class.

    Parameters
    ----------
    centred
        Values less the mean of their head, 0 where not known.
    total
        Sum of their squares for each head.
    known
        1 where they are known, 0 elsewhere; None where all are, which saves half of the time.
    """
    n_groups = int(codes.max(initial=-1)) + 1
    members = membership(codes, n_groups)
    n = np.bincount(codes, minlength=n_groups)[:, None] if known is None else members @ known
    between = np.divide((members @ centred) ** 2, n, out=np.zeros((n_groups, len(centred.T))), where=n > 0).sum(0)
    within, n_classes = total - between, (n > 0).sum(0)
    n_within, n_between = n.sum(0) - n_classes, n_classes - 1
    is_defined = (n_between > 0) & (n_within > 0) & (total > 0)
    found = np.where(is_defined, np.inf, np.nan)
    return np.divide(between * n_within, within * n_between, out=found, where=is_defined & (within > _ROUNDING * total))
