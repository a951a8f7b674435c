"""What pruning one head does to one image, in numbers and in a sentence."""

from dataclasses import dataclass

import numpy as np

from vitpanel.core.regions import PruningMode
from vitpanel.core.spec import head_name
from vitpanel.study.metric_arrays import stand_in
from vitpanel.study.reader import Study

DROP, JSD = "importance/probability", "importance/jsd"
ACCURACY, TOP_CLASS = "importance/accuracy", "modes/top_class"
_NOT_STORED = "which class is predicted then, this study does not store"


@dataclass(frozen=True)
class Case:
    """A head on an image with a label.

    Parameters
    ----------
    label, predicted
        Names of the classes.
    p_true, left
        Probability of the label, without pruning and without the head.
    after
        Name of the class that is predicted without the head; empty where this is not known.
    is_lost
        Whether the label is surely not predicted without the head.
    """

    image: int
    layer: int
    head: int
    label: str
    predicted: str
    p_true: float
    left: float
    after: str
    is_lost: bool

    @property
    def change(self) -> str:
        """What becomes of the probability of the label, as the first part of a sentence."""
        return f"Without {head_name(self.layer, self.head)}, p({self.label}) {_change(self.p_true, self.left)}"


def pruned_top_class(study: Study) -> np.ndarray | None:
    """Class that is predicted without each head, ``(n_images, n_layers, n_heads)``; None where it is not stored."""
    return study[TOP_CLASS][..., PruningMode.HEAD, 0] if TOP_CLASS in study else None


def is_right_without(study: Study, images: int | slice = slice(None)) -> np.ndarray | None:
    """Whether the label is predicted without each head, bool ``(n_images, n_layers, n_heads)``; None where not stored.

    Of one image, bool ``(n_layers, n_heads)``. Images without a label say nothing here.
    """
    label, predicted = (study.images[name].to_numpy()[images][..., None, None] for name in ("label", "predicted"))
    if TOP_CLASS in study:
        return study[TOP_CLASS][images, ..., PruningMode.HEAD, 0] == label
    # What was right is right without the head unless that costs it, which is 100.
    return (label == predicted) * 100 - study[ACCURACY][images] > 0 if ACCURACY in study else None


def case_of(study: Study, image: int, layer: int, head: int) -> Case:
    """Look up a head on an image with a label.

    Where the study does not store whether the prediction without the head is right, that follows from the probability
    of the label alone where it is above a half (it is predicted) or below one in the number of classes (it is not).
    """
    row, n_classes = study.images.iloc[image], study.spec.n_classes
    label, p_true = int(row["label"]), float(row["p_true"])
    left = float(np.clip(p_true - study[DROP][image, layer, head], 0, 1))
    top, right = pruned_top_class(study), is_right_without(study, image)
    is_right = left > 1 / 2 if right is None else bool(right[layer, head])
    after = int(top[image, layer, head]) if top is not None else label if is_right else -1
    return Case(
        image=image,
        layer=layer,
        head=head,
        label=class_name(study, label),
        predicted=class_name(study, int(row["predicted"])),
        p_true=p_true,
        left=left,
        after="" if after < 0 else class_name(study, after),
        is_lost=not is_right if right is not None else left < 1 / n_classes,
    )


def class_name(study: Study, index: int) -> str:
    """Name of a class, with its number where others are called alike; the number where it has no name."""
    names = study.class_names
    if index >= len(names):
        return str(index)
    return names[index] if names.count(names[index]) == 1 else f"{names[index]} ({index})"


def plain_words(_study: Study, case: Case) -> str:
    """What becomes of the probability."""
    return f"{case.change}."


def prediction_words(_study: Study, case: Case) -> str:
    """What becomes of the prediction, as far as the study says it."""
    before = f"{case.change}; {case.predicted} is predicted with all heads"
    if case.after:
        return f"{before}, {'still ' if case.after == case.predicted else ''}{case.after} without it."
    if case.is_lost:
        return f"{before}, another class than {case.label} without it; {_NOT_STORED}."
    return f"{before}; {_NOT_STORED}."


def opposing_words(study: Study, case: Case) -> str:
    """What the head does and what the one does that has the largest effect the other way."""
    drops = study[DROP][case.image]
    other = np.unravel_index(np.nanargmin(drops) if case.left < case.p_true else np.nanargmax(drops), drops.shape)
    left = float(np.clip(case.p_true - drops[other], 0, 1))
    name = head_name(*(int(index) for index in other))
    return f"{case.change}, and without {name} it {_change(case.p_true, left)}."


def layer_words(study: Study, case: Case) -> str:
    """What the head does to its layer and what little of it reaches the prediction."""
    metric, place = stand_in(), (case.image, case.layer, case.head)
    turned, bits = study[f"importance/{metric.key}"][place], study[JSD][place]
    return f"{case.change} and the JSD is {bits:.2g} bits, yet the {metric.title} is {turned:.2g}."


def _change(before: float, after: float) -> str:
    if f"{before:.2f}" == f"{after:.2f}":
        return f"stays at {before:.2f}"
    return f"{'rises' if after > before else 'falls'} from {before:.2f} to {after:.2f}"
