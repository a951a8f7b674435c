"""One row for each head, with every number that a study has of it."""
# pyright: standard
# (pandas comes without type stubs)

import numpy as np
import pandas as pd

from vitpanel.core.metrics import metric_keys
from vitpanel.study.cohesion import cohesion
from vitpanel.study.means import judged_images
from vitpanel.study.reader import Study
from vitpanel.study.stage import PER_HEAD, ArraySpec

QUANTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}
MEASURES = ("entropy", "distance")
PATTERN = "patterns/cls"


def heads_table(study: Study) -> pd.DataFrame:
    """Return what a study says of each head over all its images that are done.

    Returns
    -------
    Indexed by layer and head. Of each importance and each measure the mean, the standard deviation and quantiles over
    images, as ``importance_jsd_mean`` and ``entropy_q25``. The importance by probability is the loss of Eq. 3, over
    the images whose label is a class where there are any. ``to_cls`` is the share of its attention that a patch gives
    to CLS, and ``cls_to_cls`` what CLS gives to itself, means over patches and images. ``cohesion`` is the share of the
    15 nearest neighbours of a head's points that are the same head on another image, in the first of the `head_layouts`
    that the study has; NaN without one. What else the study does not have has no column; a number that is not defined
    for a head is NaN.
    """
    spec = study.spec
    index = pd.MultiIndex.from_product([range(spec.n_layers), range(spec.n_heads)], names=["layer", "head"])
    columns: dict[str, np.ndarray] = {}
    for metric in metric_keys():
        if f"importance/{metric}" in study:
            values = study[f"importance/{metric}"][judged_images(study, metric)]
            columns |= _moments(f"importance_{metric}", values)
    for measure in MEASURES:
        if measure in study:
            columns |= _moments(measure, study[measure])
    if PATTERN in study:
        columns |= cls_shares(study)
    columns["cohesion"] = _cohesion_share(study)
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)


def head_layouts(study: Study) -> tuple[str, ...]:
    """Names of the layouts of heads, absent ones too; first that of A_patch, which all models have."""
    of_heads = [array.name for array in study.arrays.values() if _is_layout_of_heads(array)]
    return tuple(dict.fromkeys(["layout/patch", "layout/cls", *of_heads]))


def _is_layout_of_heads(array: ArraySpec) -> bool:
    return array.name.startswith("layout/") and array.dims[:3] == PER_HEAD


def _cohesion_share(study: Study) -> np.ndarray:
    name = next((name for name in head_layouts(study) if name in study), None)
    if name is None:
        return np.full((study.spec.n_layers, study.spec.n_heads), np.nan)
    return cohesion(study[name]).share


def _moments(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Mean, standard deviation and quantiles over the first axis, NaN aside; NaN for a head without any value."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    found = np.full((2 + len(QUANTILES), flat.shape[1]), np.nan)
    for head, column in enumerate(flat.T):
        known = column[~np.isnan(column)]
        if known.size:
            found[:, head] = known.mean(), known.std(), *np.quantile(known, list(QUANTILES.values()))
    return {f"{name}_{kind}": row for kind, row in zip(("mean", "std", *QUANTILES), found, strict=True)}


def cls_shares(study: Study) -> dict[str, np.ndarray]:
    """Means over images of what patches and CLS give to CLS, as ``to_cls`` and ``cls_to_cls`` of `heads_table`.

    Takes long for many images: the patterns are read block by block, since they are large.
    """
    n_images, total = 0, {}
    for block in study.blocks_with(PATTERN):
        values = study.block(PATTERN, block)
        for name, shares in _to_cls(study, values).items():
            total[name] = total.get(name, 0) + shares.sum(0)
        n_images += len(values)
    return {name: values / n_images for name, values in total.items()}


def image_cls_shares(study: Study, image: int) -> dict[str, np.ndarray]:
    """Return the same of one image; raises as `Study.block` does."""
    block, row = divmod(image, study.manifest.block_size)
    return {name: shares[0] for name, shares in _to_cls(study, study.block(PATTERN, block)[row : row + 1]).items()}


def _to_cls(study: Study, values: np.ndarray) -> dict[str, np.ndarray]:
    """Shares ``(n_images, n_layers, n_heads)`` from rows of the patterns.

    These are what CLS gives to itself, what it gives to the patches, and what they give to it.
    """
    size = study.spec.grid.size
    return {
        "to_cls": values[..., size + 1 :].mean(-1, dtype=np.float64),
        "cls_to_cls": values[..., 0].astype(np.float64),
    }
