"""C: how far the patches of each head look, by one of two measures."""

from dataclasses import dataclass, replace
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from vitpanel.core.spec import ViTSpec
from vitpanel.core.stats import known_moments, unit_density
from vitpanel.core.strength import longest_distance
from vitpanel.errors import StudyIncompleteError
from vitpanel.study.reader import Study

MEASURES = ("entropy", "distance")
MARGIN = 0.05  # of what an axis shows, on each side
NARROWEST = 0.001  # of what is possible
_spans: WeakKeyDictionary[Study, dict[str, tuple[float, float]]] = WeakKeyDictionary()
_lock = Lock()


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
class SetStrength:
    """C2: strength of a head over a set of images: mean and standard deviation ``(n_hops,)``, and how many images.

    NaN for a hop that no patch has, and where no image of the set is done, of which ``n_images`` counts none.
    """

    mean: np.ndarray
    std: np.ndarray
    n_images: int


@dataclass(frozen=True)
class BrushedStrength:
    """C2: strength over hops of what is brushed.

    Parameters
    ----------
    brush, rest
        Of the chosen head on the brushed images and on the others; None without a brush of images.
    heads
        Mean ``(n_hops,)`` over the brushed heads, on the chosen image or over all; None without a brush of heads.
    n_heads
        How many heads it is over.
    """

    brush: SetStrength | None = None
    rest: SetStrength | None = None
    heads: np.ndarray | None = None
    n_heads: int = 0


@dataclass(frozen=True)
class HeadDensity:
    """C3: density of a measure of one head over images, at places along its axis.

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
    """Ends of a measure's axis, the same for all images and heads, or nearly, so that they can be compared.

    It holds what all heads have on all images but for the outermost hundredth at each end, all that is shown, and a
    twentieth more within what is possible.
    """
    limit, usual = measure_limit(study.spec, measure), usual_span(study, measure)
    values = np.concatenate([np.ravel(part) for part in (np.array(usual), *shown)])
    if not limit or np.isnan(values).all():
        return 0.0, limit or 1.0
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = max(MARGIN * (high - low), NARROWEST * limit)
    return max(low - margin, 0.0), min(high + margin, limit)


def usual_span(study: Study, measure: str) -> tuple[float, float]:
    """Between which two values all but the outermost hundredths lie, made once for all sessions; NaN without any."""
    with _lock:
        known = _spans.setdefault(study, {})
        if measure not in known:
            values = study[measure]
            values = values[~np.isnan(values)]
            low, high = np.percentile(values, [1, 99]) if values.size else (np.nan, np.nan)
            known[measure] = float(low), float(high)
        return known[measure]


def undefined_reason(study: Study, measure: str) -> str:
    """Why a measure has no values though it was computed, as one sentence; empty if it has."""
    if measure == "entropy" and study.spec.grid.n_hops == 1:
        return "Entropy is not defined on a grid of one patch: there is one distance only."
    return ""


def patch_side(spec: ViTSpec) -> float | None:
    """Side of a patch in pixels, None where patches are not square."""
    height, width = spec.image_size[0] / spec.grid.rows, spec.image_size[1] / spec.grid.cols
    return height if height == width else None


def head_values(study: Study, measure: str, image: int | None) -> HeadValues:
    """Measure of all heads on an image, or its mean and standard deviation over all.

    Raises
    ------
    StudyIncompleteError
        If the study does not have it, not for this image, or it is not defined for this model.
    """
    _refuse_undefined(study, measure)
    if image is None:
        mean, std = study.mean(measure), study.std(measure)
        return HeadValues(measure, mean, std, axis_span(study, measure, mean - std, mean + std))
    values = rows_of_image(study, measure, image)
    return HeadValues(measure, values, None, axis_span(study, measure, values))


def head_strength(study: Study, head: tuple[int, int], image: int | None) -> HeadStrength:
    """Strength of a head on an image and its mean over all; raises as `head_values` does."""
    chosen = None if image is None else rows_of_image(study, "strength", image)[head]
    return HeadStrength(chosen, study.mean("strength")[head])


def brushed_strength(
    study: Study,
    head: tuple[int, int],
    image: int | None,
    *,
    images: np.ndarray | None,
    heads: np.ndarray | None,
    others: np.ndarray | None = None,
) -> BrushedStrength:
    """Strength of what is brushed; raises as `head_values` does.

    Parameters
    ----------
    images, heads
        Which are brushed, bool ``(n_images,)`` and ``(n_layers, n_heads)``; None without a brush.
    others
        Which images they are held against; None for all that are not brushed. Images in both are in neither.
    """
    found = BrushedStrength()
    if images is not None:
        rest = ~images if others is None else others
        # A view of one head: the array of all heads is not copied.
        values = study["strength"][(slice(None), *head)]
        found = replace(found, brush=_set_strength(values, images & ~rest), rest=_set_strength(values, rest & ~images))
    if heads is not None:
        of_heads = study.mean("strength") if image is None else rows_of_image(study, "strength", image)
        known = heads & study.spec.is_there
        mean = of_heads[known].mean(0, dtype=np.float64) if known.any() else np.full(of_heads.shape[-1], np.nan)
        found = replace(found, heads=mean, n_heads=int(known.sum()))
    return found


def _set_strength(values: np.ndarray, mask: np.ndarray) -> SetStrength:
    found = known_moments(values, mask)
    return SetStrength(found.mean, found.std, int(found.count.max(initial=0)))


def value_on_image(study: Study, measure: str, head: tuple[int, int], *, image: int | None) -> float | None:
    """Measure of a head on an image; None without an image or where it is not known."""
    value = np.nan if image is None else study[measure][(image, *head)]
    return None if np.isnan(value) else float(value)


def head_density(
    study: Study,
    measure: str,
    head: tuple[int, int],
    *,
    brushed: np.ndarray | None,
    others: np.ndarray | None = None,
) -> HeadDensity:
    """Distribution of a measure of a head.

    Parameters
    ----------
    brushed
        Which images are brushed, bool ``(n_images,)``; None without a brush.
    others
        Which they are held against; None for all that are not brushed. Images in both are in neither.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the measure, or it is not defined for this model.
    """
    _refuse_undefined(study, measure)
    values = study[measure][(slice(None), *head)]
    span = axis_span(study, measure, values)
    inside, outside = values[:0], values
    if brushed is not None:
        rest = ~brushed if others is None else others
        inside, outside = values[brushed & ~rest], values[rest & ~brushed]
    grid, density = _density(outside, span)
    return HeadDensity(
        measure,
        grid,
        density,
        int((~np.isnan(outside)).sum()),
        None if brushed is None else _density(inside, span)[1],
        int((~np.isnan(inside)).sum()),
        span,
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
        is_whole = study.n_done == study.n_images
        hint = "It is not defined for it." if is_whole else "Its block may not be computed yet; choose another image."
        raise StudyIncompleteError(message, hint=hint)
    return values


def _refuse_undefined(study: Study, measure: str) -> None:
    if reason := undefined_reason(study, measure):
        raise StudyIncompleteError(reason, hint="Choose distance instead.")


def _density(values: np.ndarray, span: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Places along an axis and the density there, per unit of the measure."""
    low, high = span
    # Rounding in float32 may put a value just beyond the end.
    grid, density = unit_density(np.clip((values - low) / (high - low), 0, 1))
    return low + grid * (high - low), density / (high - low)
