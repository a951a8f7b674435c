"""Kinds of parameters of a selection, which refuse what cannot be chosen."""

from collections.abc import Callable
from typing import Any

import param

from vitpanel.drawing.viewport import are_bounds
from vitpanel.errors import ChoiceError
from vitpanel.state.brush import Brush

MOST_KEPT = 8
LONGEST_NAME = 30


class Index(param.Integer[Any]):
    """Number of an image, layer, head or token, from 0 to the last that the study has, or None where that is allowed.

    Another whole number is refused with a `ChoiceError`.
    """

    def _validate_bounds(self, val: Any, bounds: Any, inclusive_bounds: tuple[bool, bool]) -> None:
        try:
            super()._validate_bounds(val, bounds, inclusive_bounds)
        except ValueError as error:
            # It is no upper limit while nobody has said which study is meant.
            last = "" if bounds[1] is None else f" to {bounds[1]}"
            message = f"There is no {self.name} {val}."
            raise ChoiceError(message, hint=f"The numbers of {self.name}s run from 0{last}.") from error


class HeadList(param.List[list[tuple[int, int]]]):
    """Distinct heads, each ``(layer, head)`` from 0."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        for head in val:
            if len(head) != 2 or not all(type(index) is int and index >= 0 for index in head):  # noqa: PLR2004 - a pair
                message = f"{head!r} is not a head: give its layer and its index, both whole numbers from 0."
                raise ValueError(message)
        if len(set(val)) < len(val):
            message = f"A head occurs twice in {val!r}."
            raise ValueError(message)


class Registered(param.Selector[str]):
    """One of what is registered at the time it is set, such as a metric that came after this module was imported.

    Parameters
    ----------
    keys
        Gives the choices; the first is the default.
    """

    __slots__ = ("keys",)

    def __init__(self, *, keys: Callable[[], list[str]], doc: str) -> None:
        self.keys = keys
        super().__init__(objects=keys(), doc=doc)

    def _validate(self, val: Any) -> None:
        if val not in self.keys():
            message = f"{val!r} is not one of {', '.join(self.keys())}."
            raise ValueError(message)


class BrushOrNone(param.ClassSelector[Any]):
    """A brush; None for nothing brushed."""

    def __init__(self, *, doc: str) -> None:
        super().__init__(default=None, class_=Brush, allow_None=True, doc=doc)


class KeptBrushes(param.Dict[Any]):
    """Brushes by the names under which they are kept, at most `MOST_KEPT`."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if len(val) > MOST_KEPT:
            message = f"There is room for {MOST_KEPT} kept brushes, not for {len(val)}."
            raise ChoiceError(message, hint="Forget one first.")
        for name, brush in val.items():
            if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME:
                message = f"A brush cannot be kept as {str(name)[: LONGEST_NAME + 1]!r}."
                raise ChoiceError(message, hint=f"Give it a name of 1 to {LONGEST_NAME} characters.")
            if not isinstance(brush, Brush):
                message = f"What is kept as {name!r} is not a brush."
                raise ChoiceError(message, hint="Keep a vitpanel.Brush.")


class MapBounds(param.Tuple[Any]):
    """Part of a map that is in sight, ``(x0, x1, y0, y1)`` in its coordinates, or None."""

    def __init__(self, *, doc: str) -> None:
        super().__init__(default=None, length=4, allow_None=True, doc=doc)

    def _validate_value(self, value: Any, allow_None: bool) -> None:  # noqa: FBT001, N803 - param's name and type
        super()._validate_value(value, allow_None)
        if value is not None and not are_bounds(value):
            message = f"{value!r} is no part of a map."
            raise ChoiceError(message, hint="Give x0 < x1 and y0 < y1 in the coordinates of the map.")
