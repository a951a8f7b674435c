"""Sets of heads that are pruned together: which they are, and on which images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitpanel.core.pruned_images import PrunedImages
from vitpanel.core.regions import PruningMode, is_defined
from vitpanel.core.spec import ViTSpec, short_head_name
from vitpanel.errors import ChoiceError
from vitpanel.state.brush import IMAGE, INSTANCE, TOKEN, Brush, mask_of
from vitpanel.state.queries.so_far import SoFar
from vitpanel.state.ranking import ranked_heads
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

Head = tuple[int, int]
SAMPLES = (64, 256, 1024)
BRUSHED, ALL = "brushed", "all"
LEAST_FIRST, MOST_FIRST = "least", "most"
N_STEPS = 12
MOST_NAMED = 6


@dataclass(frozen=True)
class HeadSet:
    """A set of heads, in the order of layers.

    Parameters
    ----------
    heads
        Each its layer and index.
    words
        What the set is, as "3 brushed heads".
    reason
        Why it is empty; empty where it is not.
    """

    heads: tuple[Head, ...]
    words: str
    reason: str = ""

    @property
    def names(self) -> str:
        """The first heads by name, and how many more there are."""
        names = ", ".join(short_head_name(*head) for head in self.heads[:MOST_NAMED])
        return names if len(self.heads) <= MOST_NAMED else f"{names} and {len(self.heads) - MOST_NAMED} more"


@dataclass(frozen=True)
class SetJob:
    """Sets of heads to prune on images.

    Parameters
    ----------
    sets
        Each a set of heads that are pruned together.
    mode
        What of them is pruned.
    images
        In the order in which they are computed.
    """

    sets: tuple[tuple[Head, ...], ...]
    mode: int
    images: tuple[int, ...]

    def nothing(self) -> PrunedImages:
        """What is known before the first image."""
        return PrunedImages.none(len(self.sets))


PrunedSoFar = SoFar[SetJob, PrunedImages]


def chosen_set(study: Study, selection: Selection) -> HeadSet:
    """Heads to prune together: the brushed ones, else those that are pinned, else the chosen one.

    Of a brush of heads on images, those on the chosen image.

    Raises
    ------
    StudyError
        If the study does not have what the brush speaks of.
    """
    brush, image = selection.heads, selection.image
    if brush is None and selection.pinned:
        return HeadSet(tuple(sorted(selection.pinned)), counted(len(selection.pinned), "pinned head"))
    if brush is None:
        return HeadSet((selection.chosen_head,), "the chosen head")
    if brush.item == INSTANCE and image is None:
        reason = "Heads are brushed on single images. Choose one, and its brushed heads are pruned."
        return HeadSet((), "brushed heads of an image", reason)
    mask = mask_of(study, brush)
    where = f" on image {image}" if brush.item == INSTANCE else ""
    heads = heads_of(study, mask if image is None or not where else mask[image])
    reason = "" if heads else f"No head is brushed{where}. Brush some, or clear the brush."
    return HeadSet(heads, f"{counted(len(heads), 'brushed head')}{where}", reason)


def heads_of(study: Study, mask: np.ndarray) -> tuple[Head, ...]:
    """Heads in a mask ``(n_layers, n_heads)`` that the model has."""
    return tuple((int(layer), int(head)) for layer, head in np.argwhere(mask & study.spec.is_there))


def mask_of_heads(spec: ViTSpec, heads: Sequence[Head]) -> np.ndarray:
    """Mask of some heads, bool ``(n_layers, n_heads)``."""
    mask = np.zeros((spec.n_layers, spec.n_heads), bool)
    for layer, head in heads:
        mask[layer, head] = True
    return mask


def named_heads(study: Study, heads: Brush | np.ndarray | Sequence[Head]) -> tuple[Head, ...]:
    """Heads that somebody names by a brush of heads, a mask ``(n_layers, n_heads)``, or one by one.

    Raises
    ------
    ChoiceError
        If the model has no such head, or none is named.
    """
    spec = study.spec
    if isinstance(heads, Brush):
        if heads.item in {IMAGE, INSTANCE, TOKEN}:
            message = f"A set of heads cannot be told by a brush of {heads.item}s."
            raise ChoiceError(message, hint="Brush heads, or name them: [(0, 1), (2, 3)].")
        found = heads_of(study, mask_of(study, heads))
    elif isinstance(heads, np.ndarray) and heads.dtype == np.bool_ and heads.shape == (spec.n_layers, spec.n_heads):
        found = heads_of(study, heads)
    else:
        found = tuple(sorted({(int(layer), int(head)) for layer, head in heads}))
    absent = [head for head in found if not spec.has_head(*head)]
    if absent or not found:
        message = f"There is no head {absent[0]}." if absent else "No head is named."
        raise ChoiceError(message, hint=f"Name heads as (layer, head), of {spec.n_layers} layers.")
    return found


def pruning_job(
    study: Study, heads: Brush | np.ndarray | Sequence[Head], *, mode: int, images: Brush | Sequence[int] | None
) -> SetJob:
    """Return the job of pruning heads together on images, all that are done by default.

    Raises
    ------
    ChoiceError
        If the model or the study has no such head, mode, image or class head.
    """
    if mode not in modes_of(study):
        message = f"There is no pruning mode {mode} of this model."
        raise ChoiceError(message, hint=f"The modes are {', '.join(str(number) for number in modes_of(study))}.")
    if not study.spec.n_classes:
        raise ChoiceError(study.reason("probabilities"))
    done = study.done_images
    if images is None or isinstance(images, Brush):
        if images is not None and images.item != IMAGE:
            message = f"Images cannot be told by a brush of {images.item}s."
            raise ChoiceError(message, hint="Brush images, or give their numbers.")
        asked = np.flatnonzero(done if images is None else done & mask_of(study, images)).tolist()
    else:
        asked = [int(image) for image in images]
    absent = [image for image in asked if not 0 <= image < study.n_images or not done[image]]
    if absent or not asked:
        which = f" {absent[0]} that is done" if absent else " that is done"
        among = "" if absent or images is None else f" in {images!r}"
        message = f"There is no image{which}{among}."
        raise ChoiceError(message, hint=f"The study has {study.n_images:,} images, {study.n_done:,} of them done.")
    return SetJob((named_heads(study, heads),), int(mode), tuple(asked))


def modes_of(study: Study) -> tuple[int, ...]:
    """Pruning modes that the model has, 0 among them, which prunes nothing."""
    return tuple(int(mode) for mode in PruningMode if is_defined(mode, study.spec.grid))


def asked_images(study: Study, scope: str, brush: Brush | None) -> tuple[int, ...]:
    """Images to prune on, always in the same random order, so that the first ones are a sample of all.

    Parameters
    ----------
    scope
        `BRUSHED`, `ALL`, or the size of a sample, as "64".
    brush
        Of images.
    """
    order = np.random.default_rng(0).permutation(study.n_images)
    is_asked = study.done_images
    if scope == BRUSHED:
        is_asked = is_asked & (mask_of(study, brush) if brush is not None else False)
    found = order[is_asked[order]]
    return tuple((found[: int(scope)] if scope.isdecimal() else found).tolist())


def scopes(study: Study, brush: Brush | None) -> dict[str, str]:
    """Which images can be asked for, by words; the first is what is asked where nobody chooses."""
    n_done, found = study.n_done, dict[str, str]()
    if brush is not None:
        found[counted(len(asked_images(study, BRUSHED, brush)), "brushed image")] = BRUSHED
    for size in SAMPLES:
        if size < n_done:
            found[f"random sample of {size:,}"] = str(size)
    which = "all" if n_done == study.n_images else "all finished"
    found[f"{which} {counted(n_done, 'image')}"] = ALL
    return found


def steps_of_curve(study: Study, metric: str, order: str) -> tuple[tuple[Head, ...], ...]:
    """Sets of a necessity curve: no head, and then a twelfth more of all heads at each step, up to all.

    Parameters
    ----------
    metric
        Heads are taken in the order of their mean importance by this metric; equals and unknown ones by layer.
    order
        `LEAST_FIRST` or `MOST_FIRST`.

    Raises
    ------
    StudyIncompleteError
        If the study does not have the metric.
    """
    heads = ranked_heads(study, metric)
    if order == LEAST_FIRST:
        heads.reverse()
    counts = sorted({round(step * len(heads) / N_STEPS) for step in range(N_STEPS + 1)})
    return tuple(tuple(heads[:count]) for count in counts)


def changes_one_by_one(study: Study, job: SetJob, images: np.ndarray) -> np.ndarray:
    """Sum of what each head of a set changes alone, for images ``(n,)`` and the k sets of a job.

    Returns
    -------
    float64 ``(n, k)``, changes of the probability of the label (else of the top class); NaN where the study does not
    know one of them: it has mode 1, and the others with the stage ``modes`` only.
    """
    if job.mode == PruningMode.NONE:
        return np.zeros((len(images), len(job.sets)))
    found = np.full((len(images), len(job.sets)), np.nan)
    name = "importance/probability" if job.mode == PruningMode.HEAD else "modes/probability"
    if name in study:
        drops = study[name][images] if job.mode == PruningMode.HEAD else study[name][images][..., job.mode]
        for at, heads in enumerate(job.sets):
            layers, places = np.array(heads, int).reshape(-1, 2).T
            found[:, at] = -drops[:, layers, places].sum(-1, dtype=np.float64)
    return found


def counted(n: int, noun: str) -> str:
    """A number with its noun, as in "1 head" or "1,200 heads"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
