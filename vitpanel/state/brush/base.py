"""What all brushes have in common, how they combine, and what of a study is in them."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields
from threading import Lock
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from vitpanel.errors import BrushError
from vitpanel.study.reader import Study

IMAGE, HEAD, INSTANCE, TOKEN = "image", "head", "instance", "token"
# An instance is a head on an image. What is said of images or of heads can be said of instances too.
ITEMS = {IMAGE: "images", HEAD: "heads", INSTANCE: "heads on images", TOKEN: "tokens"}
WAYS = ("replace", "add", "intersect", "subtract")
_MOST_MASKS = 8
_masks: WeakKeyDictionary[Study, OrderedDict["Brush", np.ndarray]] = WeakKeyDictionary()
_lock = Lock()


class Brush(ABC):
    """A set of items of one kind; two brushes are equal when they say the same.

    ``&``, ``|`` and ``-`` combine brushes and ``~`` takes all that is outside.
    """

    kinds: ClassVar[dict[str, type["Brush"]]] = {}
    # Fields that had another name in the JSON of earlier versions, by that name.
    renamed: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Let `from_dict` know the new kind by the name of its class."""
        super().__init_subclass__(**options)
        Brush.kinds[cls.__name__] = cls

    @property
    @abstractmethod
    def item(self) -> str:
        """What the brush is a set of, one of `ITEMS`."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What is in the set, to be read by a person."""

    @abstractmethod
    def to_mask(self, study: Study) -> np.ndarray:
        """Which items of a study are in it, bool of the shape of `mask_shape`.

        What the study does not have is in no set: the brush may come from another study.
        """

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, read back by `from_dict`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type] - a dataclass
        return {"kind": type(self).__name__} | {name: _plain(value) for name, value in values.items()}

    @staticmethod
    def from_dict(data: object) -> "Brush":
        """Inverse of `to_dict`.

        Raises
        ------
        BrushError
            If it is not the form of a brush; the message says what is wrong.
        """
        if not isinstance(data, Mapping) or data.get("kind") not in Brush.kinds:
            message = f"{data!r} is not a brush."
            raise BrushError(message, hint=f"Its 'kind' must be one of {', '.join(Brush.kinds)}.")
        kind = Brush.kinds[data["kind"]]
        values = {kind.renamed.get(name, name): _from_plain(value) for name, value in data.items() if name != "kind"}
        try:
            return kind(**values)
        except (TypeError, ValueError) as error:
            message = f"A brush of the kind {data['kind']} cannot be made: {error}."
            raise BrushError(message, hint="Take the form that to_dict of a brush gives.") from error

    def __and__(self, other: "Brush") -> "Brush":
        from vitpanel.state.brush.compound import And

        return And((self, other))

    def __or__(self, other: "Brush") -> "Brush":
        from vitpanel.state.brush.compound import Or

        return Or((self, other))

    def __sub__(self, other: "Brush") -> "Brush":
        return self & ~other

    def __invert__(self) -> "Brush":
        from vitpanel.state.brush.compound import Not

        return Not(self)


def combined(old: Brush | None, new: Brush, *, how: str = "replace") -> Brush | None:
    """Return what is brushed after one brush more, as Bokeh's tools have it.

    Parameters
    ----------
    old
        What is brushed now; None for nothing, which stays nothing when the new brush is intersected or subtracted.
    how
        One of `WAYS`.
    """
    if how not in WAYS:
        message = f"Brushes cannot be combined by {how!r}."
        raise BrushError(message, hint=f"The ways are {', '.join(WAYS)}.")
    if how == "replace" or (old is None and how == "add"):
        return new
    if old is None:
        return None
    return {"add": old | new, "intersect": old & new, "subtract": old - new}[how]


def mask_shape(study: Study, item: str) -> tuple[int, ...]:
    """Shape of a mask over the items of a study."""
    heads = (study.spec.n_layers, study.spec.n_heads)
    shapes = {IMAGE: (study.n_images,), HEAD: heads, INSTANCE: (study.n_images, *heads)}
    return shapes.get(item, (study.spec.grid.n_tokens,))


def mask_of(study: Study, brush: Brush) -> np.ndarray:
    """Mask of a brush, read-only, kept for all who ask the same."""
    with _lock:
        known = _masks.setdefault(study, OrderedDict())
        found = known.get(brush)
    if found is None:
        # Others need not wait for millions of heads; who asks the same meanwhile looks for themselves.
        found = brush.to_mask(study)
        found.flags.writeable = False
    with _lock:
        found = known.setdefault(brush, found)
        known.move_to_end(brush)
        while len(known) > _MOST_MASKS:
            known.popitem(last=False)
    return found


def brushed_heads(study: Study, brush: Brush | None) -> np.ndarray:
    """Heads that are brushed, on whichever images: bool ``(n_layers, n_heads)``, False without a brush of heads."""
    if brush is None or brush.item not in {HEAD, INSTANCE}:
        return np.zeros(mask_shape(study, HEAD), bool)
    mask = mask_of(study, brush)
    return mask if brush.item == HEAD else np.asarray(mask.any(axis=0))


def _plain(value: Any) -> Any:
    if isinstance(value, Brush):
        return value.to_dict()
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _from_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Brush.from_dict(value)
    return tuple(_from_plain(part) for part in value) if isinstance(value, list | tuple) else value
