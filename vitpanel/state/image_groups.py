"""A: the ways to sort images into a few named groups, which is what colours mean there."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from vitpanel.study.kept import kept_with_study
from vitpanel.study.reader import Study

COLOURINGS = ("label", "predicted", "correct")
# What colours can show too, which is no groups: see `vitpanel.state.queries.image_numbers`.
HEAD_NUMBERS = ("importance", "entropy", "distance")
P_TRUE, BRUSHED_HEADS = "p_true", "brush"
NUMBERS = (P_TRUE, *HEAD_NUMBERS, BRUSHED_HEADS)
NO_LABEL = "no label"
NO_PREDICTION = "no prediction"
RIGHT, WRONG, NOT_JUDGED = "right", "wrong", "cannot be judged"


@dataclass(frozen=True)
class ImageGroups:
    """Every image is in one group.

    ``codes`` is int16 ``(n_images,)`` into ``names``. ``kind`` says what the names are: ``"class"`` or ``"verdict"``.
    Groups without an image are left out.
    """

    kind: str
    names: tuple[str, ...]
    codes: np.ndarray


def image_groups(study: Study, colouring: str) -> ImageGroups:
    """Sort images by ``"label"``, ``"predicted"`` class or ``"correct"`` (right or wrong)."""
    images = study.images
    if colouring == "label":
        return _by_name(images["label"].to_numpy(), label_classes(study), NO_LABEL)
    if colouring == "predicted":
        names = _class_names(study, images["predicted"].to_numpy(), images["predicted_name"].tolist())
        return _by_name(images["predicted"].to_numpy(), names, NO_PREDICTION)
    label, predicted = images["label"].to_numpy(), images["predicted"].to_numpy()
    codes = np.where((label < 0) | (predicted < 0), 2, np.where(label == predicted, 0, 1))
    present = np.unique(codes)
    names = tuple((RIGHT, WRONG, NOT_JUDGED)[code] for code in present)
    return ImageGroups("verdict", names, np.searchsorted(present, codes).astype(np.int16))


def label_classes(study: Study) -> list[str]:
    """Name of the class that each image's label is, the label itself where it is none, empty for none.

    A class has one name, and so one colour, whatever its folder was called, and however it is predicted.
    """
    return _class_names(study, study.images["label"].to_numpy(), study.images["label_name"].tolist())


def _class_names(study: Study, indices: np.ndarray, names: list[str]) -> list[str]:
    """Names of the classes by index, those of classes that are called alike with their index; names for the others."""
    counts = Counter(study.class_names)
    shown = [name if counts[name] == 1 else f"{name} ({place})" for place, name in enumerate(study.class_names)]
    pairs = zip(indices.tolist(), names, strict=True)
    return [shown[index] if 0 <= index < len(shown) else name for index, name in pairs]


@kept_with_study(1)
def class_order(study: Study) -> tuple[str, ...]:
    """Names of the classes that occur, those of labels first, each part in the order of the class head."""
    labels = image_groups(study, "label").names
    predicted = image_groups(study, "predicted").names
    others = [name for name in predicted if name not in labels]
    return tuple(name for name in (*labels, *others) if name not in {NO_LABEL, NO_PREDICTION})


def _by_name(indices: np.ndarray, names: list[str], nameless: str) -> ImageGroups:
    """Groups of equal names, in the order of their smallest index; the nameless come last."""
    order = sorted({(name == "", index, name) for index, name in zip(indices.tolist(), names, strict=True)})
    distinct = list(dict.fromkeys(name for _, _, name in order))
    code = {name: i for i, name in enumerate(distinct)}
    shown = tuple(name or nameless for name in distinct)
    return ImageGroups("class", shown, np.array([code[name] for name in names], np.int16))
