"""How much each head does for each class of images, with alike classes and alike heads side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vitpanel.state.image_groups import NO_LABEL, image_groups
from vitpanel.state.queries.marks import all_heads
from vitpanel.state.queries.numbers import counting_images, head_numbers
from vitpanel.study.kept import kept_with_study
from vitpanel.study.reader import Study

COLUMNS = ("class", "layer", "head", "n", "mean", "class_place", "head_place")
_FEWEST_CLUSTERED = 3
_ROWS_AT_ONCE = 2048  # of a large study, so that no copy of all numbers is made


@dataclass(frozen=True)
class ClassMatrix:
    """Mean of a number of every head over the images of every class.

    Parameters
    ----------
    classes
        Names, by label.
    mean
        float64 ``(n_classes, n_layers * n_heads)``, NaN where no image has a number.
    n
        How many images have one, of the same shape.
    class_order, head_order
        Indices of the classes and flat indices of the heads in which alike ones are side by side; see
        `clustered_order`.
    """

    classes: tuple[str, ...]
    mean: np.ndarray
    n: np.ndarray
    class_order: np.ndarray
    head_order: np.ndarray


@kept_with_study(8)
def class_matrix(study: Study, array: str) -> ClassMatrix:
    """Mean of each class and head over the images that are done; made once for all sessions.

    Parameters
    ----------
    array
        Name of an array over images, layers and heads; see `head_numbers`, which says what is raised.
    """
    values = head_numbers(study, array).reshape(study.n_images, -1)
    classes, codes = class_codes(study, array)
    mean, n = group_means(values, codes, len(classes))
    return ClassMatrix(classes, mean, n, clustered_order(mean), clustered_order(mean.T))


def class_table(study: Study, array: str) -> pd.DataFrame:
    """The matrix, one row for each class and head; raises as `class_matrix`.

    Returns
    -------
    The columns `COLUMNS`: the ``mean`` over ``n`` images, NaN without any, and the places of the class and the head in
    the clustered orders, from 0.
    """
    found = class_matrix(study, array)
    heads, n_classes = all_heads(study), len(found.classes)
    code, head = (index.ravel() for index in np.indices(found.mean.shape))
    columns = {
        "class": np.array(found.classes, object)[code],
        "layer": heads["layer"].to_numpy()[head],
        "head": heads["head"].to_numpy()[head],
        "n": found.n.ravel(),
        "mean": found.mean.ravel(),
        "class_place": _places(found.class_order, n_classes)[code],
        "head_place": _places(found.head_order, len(heads))[head],
    }
    return pd.DataFrame(columns)


def class_codes(study: Study, array: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes by label, and which of them each image is of, int ``(n_images,)``.

    Images that do not count for the array (see `counting_images`) and those without a label have -1.
    """
    groups = image_groups(study, "label")
    # The nameless come last.
    has_nameless = bool(groups.names) and groups.names[-1] == NO_LABEL
    classes = groups.names[:-1] if has_nameless else groups.names
    codes = np.where((groups.codes < len(classes)) & counting_images(study, array), groups.codes, -1)
    return classes, codes.astype(np.int64)


def group_means(values: np.ndarray, codes: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each column over each group of rows, NaN left out.

    Parameters
    ----------
    values
        ``(n, n_columns)``; not modified.
    codes
        Group of each row, ``(n,)``; those below 0 are of none.

    Returns
    -------
    Means, float64 ``(n_groups, n_columns)``, NaN for none, and the numbers of values behind them, int.
    """
    total, n = (np.zeros((n_groups, values.shape[1])) for _ in range(2))
    for start in range(0, len(values), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        members, part = membership(codes[rows], n_groups), values[rows]
        known = ~np.isnan(part)
        total += members @ np.where(known, part, 0).astype(np.float64)
        n += members @ known.astype(np.float64)
    mean = np.divide(total, n, out=np.full_like(total, np.nan), where=n > 0)
    return mean, n.astype(np.int64)


def membership(codes: np.ndarray, n_groups: int) -> Any:
    """Sparse matrix with a one where a row (second axis) is of a group (first axis): its products are sums."""
    from scipy.sparse import csr_array

    rows = np.flatnonzero(codes >= 0)
    return csr_array((np.ones(len(rows)), (codes[rows], rows)), shape=(n_groups, len(codes)))


def clustered_order(matrix: np.ndarray) -> np.ndarray:
    """Order of the rows in which alike ones are side by side.

    Hierarchical clustering by Euclidean distance with average linkage, the leaves ordered so that neighbours are as
    close as the tree allows. A cell that is not known counts as the mean of its column.

    Parameters
    ----------
    matrix
        ``(n_rows, n_columns)``, NaN where not known; not modified.

    Returns
    -------
    Indices of all rows, int ``(n_rows,)``; rows that are not known at all come last, as they were.

    References
    ----------
    Bar-Joseph, Gifford and Jaakkola 2001, Fast optimal leaf ordering for hierarchical clustering.
    """
    is_known = ~np.isnan(matrix)
    known, unknown = np.flatnonzero(is_known.any(axis=1)), np.flatnonzero(~is_known.any(axis=1))
    if len(known) < _FEWEST_CLUSTERED:
        return np.concatenate([known, unknown])
    from scipy.cluster.hierarchy import leaves_list, linkage

    rows = matrix[known][:, is_known.any(axis=0)]
    filled = np.where(np.isnan(rows), np.nanmean(rows, axis=0), rows)
    return np.concatenate([known[leaves_list(linkage(filled, "average", optimal_ordering=True))], unknown])


def _places(order: np.ndarray, n: int) -> np.ndarray:
    """Where each of n stands in an order."""
    places = np.empty(n, np.int64)
    places[order] = np.arange(n)
    return places
