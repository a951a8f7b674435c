"""Which class of the model each label of the images is, what is none, and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np
import pandas as pd
from timm.utils.misc import natural_key

from vitpanel.errors import ImageSourceError, StudyMismatchError
from vitpanel.pipeline.class_index import ClassIndex, folded, number_in, synonyms
from vitpanel.pipeline.words import number_of

LabelOrder = Literal["natural", "string"]
NAMES_HINT = "Name the classes in the order of the class head with --class-names FILE, one a line."
ORDER_HINT = (
    "Give --label-order natural if the model was trained with timm's folders or with class numbers, --label-order "
    "string if with torchvision's ImageFolder, or name the classes with --class-names FILE."
)
NO_LABELS_HINT = "Or give --no-labels: then every image is judged by the model's own top-1 class."
_SHOWN = 8
_MOST_COMPARED = 500_000  # a few seconds


@dataclass(frozen=True)
class MatchedLabels:
    """Classes of the images.

    Parameters
    ----------
    indices
        ``(n_images,)``, -1 for an image without a label, or with one that is no class of the model.
    class_names
        One a class; where nobody named them, the labels that they were taken for.
    unmatched
        Labels that are no class, as ``{"label": …, "n_images": …, "reason": …}``, those of most images first.
    remarks
        How labels were understood where they are no names, one sentence each.
    """

    indices: np.ndarray
    class_names: tuple[str, ...]
    unmatched: list[dict[str, str | int]]
    remarks: list[str]


def matched_labels(
    label_names: Sequence[str], class_names: Sequence[str], n_classes: int, *, order: LabelOrder | None = None
) -> MatchedLabels:
    """Find the class of each image's label.

    Parameters
    ----------
    label_names
        One an image, empty for none.
    class_names
        In the order of the class head; empty where nobody named them.
    order
        How labels are numbered where classes have no names and the two usual orders differ.

    Raises
    ------
    ImageSourceError
        If classes have no names and the order of the labels would have to be guessed, or the numbers that labels are
        begin at 1.
    """
    counts = Counter(name for name in label_names if name)
    labels, remarks = list(counts), []
    if class_names:
        found, remarks = _by_name(labels, class_names)
    else:
        found = _by_order(labels, n_classes, order)
        if found:
            remarks.append("The model's classes have no names: the labels are taken for them in their order.")
    chosen = {label: indices[0] for label, indices in found.items() if len(indices) == 1}
    lost = [label for label, _ in counts.most_common() if label not in chosen]
    near = _nearest(lost, class_names)
    unmatched: list[dict[str, str | int]] = [
        {
            "label": label,
            "n_images": counts[label],
            "reason": _reason(found.get(label, []), near.get(label, []), class_names=class_names, n_classes=n_classes),
        }
        for label in lost
    ]
    indices = np.array([chosen.get(name, -1) for name in label_names], int)
    return MatchedLabels(indices, _names(class_names, chosen, n_classes), unmatched, remarks)


def match_labels(
    label_names: Sequence[str], class_names: Sequence[str], n_classes: int, *, order: LabelOrder | None = None
) -> np.ndarray:
    """Class of each label name, -1 where the model has no such class; see `matched_labels`."""
    return matched_labels(label_names, class_names, n_classes, order=order).indices


def refuse_if_none(matched: MatchedLabels) -> None:
    """Refuse labels of which none is a class of the model: every probability would speak of something else.

    Raises
    ------
    ImageSourceError
        With the first labels and their reasons.
    """
    if not matched.unmatched or matched.indices.max(initial=-1) >= 0:
        return
    found = "; ".join(f"{item['label']!r} ({str(item['reason']).rstrip('.')})" for item in matched.unmatched[:3])
    n_more = len(matched.unmatched) - 3
    more = f", and {n_more} more" if n_more > 0 else ""
    message = f"None of the labels of the images is a class of the model: {found}{more}."
    raise ImageSourceError(message, hint=f"{NAMES_HINT} {NO_LABELS_HINT}")


def check_resumed(known: pd.DataFrame, images: pd.DataFrame, class_names: Sequence[str]) -> None:
    """Check that a study that is gone on with has its labels matched as this run does.

    Parameters
    ----------
    known, images
        Of the study and of the run, with the columns ``label`` and ``label_name``.

    Raises
    ------
    StudyMismatchError
        With a label and its class there and here.
    """
    there, here = known["label"].to_numpy(), images["label"].to_numpy()
    differing = np.flatnonzero(there != here)
    if not len(differing):
        return
    row = int(differing[0])
    names = {-1: "no class", **{index: f"class {index} ({name})" for index, name in enumerate(class_names)}}
    message = (
        f"The labels of {number_of(len(differing), 'image', 'images')} are other classes there than here: "
        f"{images['label_name'].iloc[row]!r} is {names[int(there[row])]} there and {names[int(here[row])]} here."
    )
    raise StudyMismatchError(message, hint="Give the options of the first run, or choose another --out.")


def _by_name(labels: list[str], class_names: Sequence[str]) -> tuple[dict[str, list[int]], list[str]]:
    """Classes that each label may mean by name or, unless classes are called by numbers, by number."""
    index = ClassIndex(class_names)
    found = {label: index.find(label) for label in labels}
    numbers = {label: number for label in labels if not found[label] and (number := number_in(label)) is not None}
    if index.has_numbers or not numbers:
        return found, []
    n_classes = len(class_names)
    if n_classes in numbers.values() and 0 not in numbers.values():
        message = f"Labels are numbers up to {n_classes}, but the model's {n_classes} classes are numbered from 0."
        raise ImageSourceError(message, hint="Subtract 1 if yours begin at 1, or write the names of the classes.")
    by_number = {label: [number] for label, number in numbers.items() if number < n_classes}
    remark = f"{number_of(len(by_number), 'label is a number', 'labels are numbers')}, taken for classes from 0 on."
    return found | by_number, [remark] if by_number else []


def _by_order(labels: list[str], n_classes: int, order: LabelOrder | None) -> dict[str, list[int]]:
    """Classes without names: as many labels are taken for them in order, some numbers for the names of all.

    timm numbers the folders of a training set in natural order (2 before 10), torchvision by their letters.
    """
    names = labels if len(labels) == n_classes else _numbers_like(labels, n_classes)
    if not labels or not set(labels) <= set(names):
        return {}
    orders = {"natural": sorted(names, key=lambda name: (natural_key(name), name)), "string": sorted(names)}
    if order is None and orders["natural"] != orders["string"]:
        message = (
            "The model's classes have no names, and the labels of the images have two orders: "
            f"{_listed(orders['natural'])} (natural, as timm numbers them), or {_listed(orders['string'])} (string, as "
            "torchvision does)."
        )
        raise ImageSourceError(message, hint=ORDER_HINT)
    ordered = orders[order or "string"]
    return {name: [index] for index, name in enumerate(ordered) if name in set(labels)}


def _numbers_like(labels: list[str], n_classes: int) -> list[str]:
    """Numbers of all classes, with leading zeros if the labels have them."""
    lengths = {len(label) for label in labels}
    has_zeros = len(lengths) == 1 and any(len(label) > 1 and label.startswith("0") for label in labels)
    return [str(number).zfill(max(lengths) if has_zeros else 1) for number in range(n_classes)]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _names(class_names: Sequence[str], chosen: dict[str, int], n_classes: int) -> tuple[str, ...]:
    if class_names:
        return tuple(class_names)
    named = {index: label for label, index in chosen.items()}
    return tuple(named.get(index, f"class {index}") for index in range(n_classes))


def _nearest(lost: list[str], class_names: Sequence[str]) -> dict[str, list[str]]:
    """Class names that are spelled much like labels; of very many, for the first labels alone."""
    known = {folded(part): name for name in reversed(class_names) for part in (name, *synonyms(name))}
    n_compared = _MOST_COMPARED // max(1, len(known))
    return {
        label: list(dict.fromkeys(known[key] for key in get_close_matches(folded(label), known, n=3)))
        for label in lost[:n_compared]
    }


def _reason(indices: list[int], near: list[str], *, class_names: Sequence[str], n_classes: int) -> str:
    if indices:
        names = " and ".join(f"{index} ({class_names[index]})" for index in indices[:_SHOWN])
        return f"several classes are called so: {names}."
    if not class_names:
        return f"the model's {n_classes} classes have no names: as many labels would be taken for them in their order."
    return f"no class is called so; the nearest: {'; '.join(near)}." if near else "no class is called so."
