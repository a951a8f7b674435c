"""What a set of images is, and how its heads differ from those of the other images."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vitpanel.core.stats import hedges_g, known_moments
from vitpanel.state.brush import mask_of
from vitpanel.state.change_words import quoted
from vitpanel.state.image_groups import NO_LABEL, NOT_JUDGED, RIGHT, ImageGroups, image_groups
from vitpanel.state.queries.marks import all_heads
from vitpanel.state.queries.numbers import counting_images, drawn_baseline, head_numbers
from vitpanel.state.selection import Selection
from vitpanel.study.kept import kept_with_study
from vitpanel.study.reader import Study

SET_COLUMNS = (
    "layer", "head", "n_set", "n_rest", "left_out_set", "left_out_rest", "mean_set", "mean_rest", "std_set", "std_rest",
    "effect", "effect_low", "effect_high",
)  # fmt: skip
MOST_CLASSES = 3


@dataclass(frozen=True)
class SetDescription:
    """What a set of images is made of.

    Parameters
    ----------
    n, n_all
        Images in the set and in the study.
    classes
        Name and count of the most frequent classes by label, most frequent first.
    n_other_classes, n_of_other_classes
        How many more classes there are in the set, and images of them.
    n_without_label
        Images of no class.
    n_judged, n_right
        Images whose prediction can be held against their label, and those where it is right.
    """

    n: int
    n_all: int
    classes: tuple[tuple[str, int], ...]
    n_other_classes: int
    n_of_other_classes: int
    n_without_label: int
    n_judged: int
    n_right: int

    @property
    def accuracy(self) -> float:
        """Share of the judged images that are predicted right; NaN without any."""
        return self.n_right / self.n_judged if self.n_judged else np.nan

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of a sentence: size, classes and accuracy; what there is nothing to say of is left out.

        Names of classes are as in the study's files: whoever puts them on a page escapes them.
        """
        made_of = [f"{count:,} {name}" for name, count in self.classes]
        if self.n_other_classes:
            classes = "class" if self.n_other_classes == 1 else "classes"
            made_of.append(f"{self.n_of_other_classes:,} of {self.n_other_classes} other {classes}")
        if self.n_without_label:
            made_of.append(f"{self.n_without_label:,} without a label")
        judged = "all" if self.n_judged == self.n else f"the {self.n_judged:,} that can be judged"
        right = f"{self.accuracy:.0%} of {judged} predicted right" if self.n_judged else ""
        return tuple(part for part in (f"{self.n:,} of {self.n_all:,} images", ", ".join(made_of), right) if part)


def set_table(
    study: Study, mask: np.ndarray, array: str, *, others: np.ndarray | None = None, as_drawn: bool = False
) -> pd.DataFrame:
    """A number of every head over a set of images against another set, one row a head.

    Parameters
    ----------
    mask
        The set, bool ``(n_images,)``.
    array
        Name of an array over images, layers and heads; see `head_numbers`, which says what is raised.
    others
        The set that it is held against; None for all other images. Images in both sets are in neither, since the
        interval is that of two independent sets.
    as_drawn
        Whether a drop of the probability is told as what is left of it, as charts of the curve do; the effect then has
        the other sign.

    Returns
    -------
    The columns `SET_COLUMNS`. ``n_…`` counts the images that have a number, ``left_out_…`` those of the set that do not
    count: not done, in both sets, or without a label for a metric of the label's class. ``std_…`` is over images, by
    their number. ``effect`` is Hedges' g, above 0 where the set has more than the others, with a 95 % interval; see
    `hedges_g`. NaN where it is not defined.
    """
    values, counts = head_numbers(study, array), counting_images(study, array)
    rest = ~mask if others is None else others
    baseline = drawn_baseline(study, array) if as_drawn else None
    one = known_moments(values, mask & ~rest & counts, baseline=baseline)
    other = known_moments(values, rest & ~mask & counts, baseline=baseline)
    found = hedges_g(one, other)
    columns = {"effect": found.effect, "effect_low": found.low, "effect_high": found.high}
    for name, moments, images in (("set", one, mask), ("rest", other, rest)):
        n = moments.count.astype(np.int64)
        columns |= {f"n_{name}": n, f"left_out_{name}": np.count_nonzero(images) - n}
        columns |= {f"mean_{name}": moments.mean, f"std_{name}": moments.std}
    flat = {name: values.ravel() for name, values in columns.items()}
    return all_heads(study).assign(**flat).reindex(columns=list(SET_COLUMNS))


def set_reference(study: Study, mask: np.ndarray, array: str, *, others: np.ndarray | None = None) -> float | None:
    """Mean probability with all heads over the images that count in `set_table`, which takes the same.

    None for numbers that are not drawn as what is left of it; NaN where no image counts.
    """
    baseline = drawn_baseline(study, array)
    if baseline is None:
        return None
    known = baseline[mask & ~(~mask if others is None else others) & counting_images(study, array)]
    return float(known[np.isfinite(known)].mean()) if np.isfinite(known).any() else np.nan


def others_mask(study: Study, selection: Selection) -> np.ndarray | None:
    """Which images brushed ones are held against, bool ``(n_images,)``; None for all that are not brushed."""
    brush = selection.kept_images.get(selection.against or "")
    return None if brush is None else mask_of(study, brush)


def others_name(selection: Selection) -> str:
    """What brushed images are held against, to be read by a person; the name of a kept brush is as it was given."""
    return "the rest" if selection.against is None else quoted(selection.against)


def describe_set(study: Study, mask: np.ndarray) -> SetDescription:
    """Size, classes by label and accuracy of a set of images, bool ``(n_images,)``."""
    labels, verdicts = _groups(study, "label"), _groups(study, "correct")
    counts = dict(zip(labels.names, _counts(labels, mask), strict=True))
    n_without_label = counts.pop(NO_LABEL, 0)
    present = sorted(((name, n) for name, n in counts.items() if n), key=lambda item: -item[1])
    named, unnamed = present[:MOST_CLASSES], present[MOST_CLASSES:]
    verdict = dict(zip(verdicts.names, _counts(verdicts, mask), strict=True))
    n = int(np.count_nonzero(mask))
    return SetDescription(
        n=n,
        n_all=study.n_images,
        classes=tuple(named),
        n_other_classes=len(unnamed),
        n_of_other_classes=sum(count for _, count in unnamed),
        n_without_label=n_without_label,
        n_judged=n - verdict.get(NOT_JUDGED, 0),
        n_right=verdict.get(RIGHT, 0),
    )


def _counts(groups: ImageGroups, mask: np.ndarray) -> list[int]:
    return np.bincount(groups.codes[mask], minlength=len(groups.names)).tolist()


@kept_with_study(4)
def _groups(study: Study, colouring: str) -> ImageGroups:
    """Groups of all images: naming 50,000 takes longer than counting them."""
    return image_groups(study, colouring)
