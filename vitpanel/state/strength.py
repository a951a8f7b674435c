"""C: how far the patches of each head look, by one of two measures."""

from dataclasses import dataclass

import numpy as np

from vitpanel.core.spec import ViTSpec
from vitpanel.core.stats import unit_density
from vitpanel.core.strength import longest_distance
from vitpanel.errors import StudyIncompleteError
from vitpanel.study.reader import Study

MEASURES = ("entropy", "distance")
_TENTHS = 10


@dataclass(frozen=True)
class HeadValues:
    """C1: a measure ``per_head``, ``(n_layers, n_heads)``; ``std`` over images is None when an image is chosen.

    ``span`` is that of an axis, see `axis_span`.
    """

    measure: str
    per_head: np.ndarray
    std: np.ndarray | None
    span: tuple[float, float]


@dataclass(frozen=True)
class HeadStrength:
    """C2: strength over hops ``(n_hops,)`` of one head; ``chosen`` is None without a chosen image."""

    chosen: np.ndarray | None
    mean: np.ndarray


@dataclass(frozen=True)
class HeadDensity:
    """C3: density of a measure of one head over images, at places from 0 to its limit.

    ``density`` is over all images, or over those outside the brush when there is one; ``brushed`` is over the brush,
    None without one. A density is NaN where no image has a value. ``n`` and ``n_brushed`` count the images behind
    them. ``span`` is that of an axis, see `axis_span`.
    """

    measure: str
    grid: np.ndarray
    density: np.ndarray
    n: int
    brushed: np.ndarray | None
    n_brushed: int
    span: tuple[float, float]


def measure_limit(spec: ViTSpec, measure: str) -> float:
    """Largest value of a measure: 1 for the entropy, a length in patches for the distance."""
    return 1.0 if measure == "entropy" else longest_distance(spec.grid)


def axis_span(study: Study, measure: str, *shown: np.ndarray) -> tuple[float, float]:
    """Tenths of a measure's range on an axis that is the same for all images, or nearly.

    It holds three standard deviations about the mean of every head, and all that is shown. The entropies of a model
    may fill a small part of what is possible.
    """
    limit, mean, margin = measure_limit(study.spec, measure), study.mean(measure), 3 * study.std(measure)
    values = np.concatenate([np.ravel(part) for part in (mean - margin, mean + margin, *shown)])
    if not limit or np.isnan(values).all():
        return 0.0, limit or 1.0
    low = np.clip(np.floor(_TENTHS * np.nanmin(values) / limit), 0, _TENTHS - 1)
    high = np.clip(np.ceil(_TENTHS * np.nanmax(values) / limit), low + 1, _TENTHS)
    return float(low * limit / _TENTHS), float(high * limit / _TENTHS)


def patch_side(spec: ViTSpec) -> float | None:
    """Side of a patch in pixels, None where patches are not square."""
    height, width = spec.image_size[0] / spec.grid.rows, spec.image_size[1] / spec.grid.cols
    return height if height == width else None


def head_values(study: Study, measure: str, image: int | None) -> HeadValues:
    """Measure of all heads on an image, or its mean and standard deviation over all.

    Raises
    ------
    StudyIncompleteError
        If the study does not have it, or not for this image.
    """
    if image is None:
        return HeadValues(measure, study.mean(measure), study.std(measure), axis_span(study, measure))
    values = rows_of_image(study, measure, image)
    return HeadValues(measure, values, None, axis_span(study, measure, values))


def head_strength(study: Study, head: tuple[int, int], image: int | None) -> HeadStrength:
    """Strength of a head on an image and its mean over all; raises as `head_values` does."""
    chosen = None if image is None else rows_of_image(study, "strength", image)[head]
    return HeadStrength(chosen, study.mean("strength")[head])


def value_on_image(study: Study, measure: str, head: tuple[int, int], *, image: int | None) -> float | None:
    """Measure of a head on an image; None without an image or where it is not known."""
    value = np.nan if image is None else study[measure][(image, *head)]
    return None if np.isnan(value) else float(value)


def head_density(study: Study, measure: str, head: tuple[int, int], *, brushed: np.ndarray | None) -> HeadDensity:
    """Distribution of a measure of a head.

    Parameters
    ----------
    brushed
        Which images are brushed, bool ``(n_images,)``; None without a brush.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the measure.
    """
    values, limit = study[measure][(slice(None), *head)], measure_limit(study.spec, measure)
    inside = values[:0] if brushed is None else values[brushed]
    outside = values if brushed is None else values[~brushed]
    grid, density = _density(outside, limit)
    return HeadDensity(
        measure,
        grid,
        density,
        int((~np.isnan(outside)).sum()),
        None if brushed is None else _density(inside, limit)[1],
        int((~np.isnan(inside)).sum()),
        axis_span(study, measure, values),
    )


def rows_of_image(study: Study, name: str, image: int) -> np.ndarray:
    """An array's values for one image.

    Raises
    ------
    StudyIncompleteError
        If the study does not have them.
    """
    values = study[name][image]
    if np.isnan(values).all():
        message = f"There is no {name.removeprefix('importance/')} for image {image}."
        raise StudyIncompleteError(message, hint="Its block may not be computed yet; choose another image.")
    return values


def _density(values: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    # Rounding in float32 may put a value just beyond the limit.
    grid, density = unit_density(np.clip(values / limit, 0, 1) if limit else values)
    return (grid * limit, density / limit) if limit else (grid, density)
