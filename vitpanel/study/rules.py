"""Rules for values that come from JSON, put together into the declared shape of a record."""

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

Rule = Callable[[Any, str], None]
"""Takes a value and its place in the record, ``model.spec.n_layers`` for instance; raises `MisfitError` at a misfit."""

LONGEST_TEXT = 4_096
_SHOWN_LENGTH = 60


class MisfitError(ValueError):
    """A value of a record is not what its place asks for."""

    def __init__(self, value: object, place: str, expected: str) -> None:
        super().__init__(f"{place} is {shown(value)}, not {expected}")


def shown(value: object) -> str:
    """A value in an error message, of bounded length."""
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "a list"
        return f"{kind} of {len(cast('list[Any]', value))}"
    text = ascii(value[:_SHOWN_LENGTH] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"


def text(longest: int = LONGEST_TEXT) -> Rule:
    """A string that can be written as UTF-8."""

    def rule(value: Any, place: str) -> None:
        if not isinstance(value, str):
            raise MisfitError(value, place, "a text")
        if len(value) > longest:
            raise MisfitError(value, place, f"a text of at most {longest} characters")
        if not _is_unicode(value):
            raise MisfitError(value, place, "a text of whole characters")

    return rule


def integer(low: int, high: int) -> Rule:
    """A whole number in a range."""

    def rule(value: Any, place: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise MisfitError(value, place, f"a whole number from {low} to {high}")

    return rule


def number(low: float = -math.inf, high: float = math.inf) -> Rule:
    """A finite number in a range."""
    limits = "" if low == -math.inf and high == math.inf else f" from {low} to {high}"

    def rule(value: Any, place: str) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise MisfitError(value, place, "a number")
        if not _is_finite(value) or not low <= value <= high:
            raise MisfitError(value, place, f"a finite number{limits}")

    return rule


def flag(value: Any, place: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise MisfitError(value, place, "true or false")


def one_of(*choices: object) -> Rule:
    """One of some values."""

    def rule(value: Any, place: str) -> None:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise MisfitError(value, place, f"one of {', '.join(map(str, choices))}")

    return rule


def maybe(inner: Rule) -> Rule:
    """Null, or what another rule says."""

    def rule(value: Any, place: str) -> None:
        if value is not None:
            inner(value, place)

    return rule


def each(inner: Rule, *, least: int = 0, most: int) -> Rule:
    """A list of so many values of one kind."""

    def rule(value: Any, place: str) -> None:
        if not isinstance(value, list) or not least <= len(cast("list[Any]", value)) <= most:
            raise MisfitError(cast("object", value), place, f"a list of {least} to {most} values")
        for index, item in enumerate(cast("list[Any]", value)):
            inner(item, f"{place}[{index}]")

    return rule


def pairs(inner: Rule, *, most: int, key: Rule | None = None) -> Rule:
    """An object of any names, at most so many, with values of one kind."""
    named = key or text(LONGEST_TEXT)

    def rule(value: Any, place: str) -> None:
        items = _items(value, place)
        if len(items) > most:
            raise MisfitError(value, place, f"an object of at most {most} names")
        for name, item in items.items():
            named(name, f"a name in {place}")
            inner(item, f"{place}.{name[:_SHOWN_LENGTH]}" if place else name[:_SHOWN_LENGTH])

    return rule


def record(
    required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None, *, others: Rule | None = None
) -> Rule:
    """An object of known names; ``others`` is the rule for further ones, of which there may be none without it."""
    known = {**required, **(optional or {})}

    def rule(value: Any, place: str) -> None:
        items, prefix = _items(value, place), f"{place}." if place else ""
        for name in required:
            if name not in items:
                missing = f"{prefix}{name}"
                raise MisfitError(None, missing, "there, as the format asks")
        for name, item in items.items():
            inner = known.get(name, others)
            if inner is None:
                raise MisfitError(name, place or "it", f"made of {', '.join(known)} alone")
            inner(item, f"{prefix}{name[:_SHOWN_LENGTH]}")

    return rule


def plain(*, depth: int, most: int) -> Rule:
    """Any JSON of bounded depth, length and texts, its numbers finite."""

    def rule(value: Any, place: str) -> None:
        if isinstance(value, str):
            text()(value, place)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number()(value, place)
        elif isinstance(value, dict | list):
            if depth == 0:
                raise MisfitError(cast("object", value), place, "a single value here")
            inner = plain(depth=depth - 1, most=most)
            (each(inner, most=most) if isinstance(value, list) else pairs(inner, most=most))(value, place)

    return rule


def _items(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MisfitError(cast("object", value), place or "it", "an object")
    return cast("dict[str, Any]", value)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False
