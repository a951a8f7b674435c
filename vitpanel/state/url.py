"""What is chosen, as the query of an address: written for a selection, and read with a notice for what is wrong."""

import json
from collections.abc import Mapping
from typing import Any

import param

from vitpanel.errors import BrushError
from vitpanel.state.brush import HEAD, IMAGE, INSTANCE, TOKEN, Brush, mask_of
from vitpanel.state.selection import HeadList, Selection
from vitpanel.study.reader import Study

FIELDS = (
    "image", "layer", "head", "metric", "mode", "token", "threshold", "scale", "extra", "mask", "pattern", "pinned",
    "density", "image_layout", "colouring", "measure", "map_colour", "cloud", "images", "heads", "tokens",
    "share_source",
)  # fmt: skip
BRUSHES = {"images": (IMAGE,), "heads": (HEAD, INSTANCE), "tokens": (TOKEN,)}
LONGEST_BRUSH = 1000
NONE = "none"
WORDS = {"yes": True, "no": False}


def to_query(selection: Selection, start: Mapping[str, Any]) -> dict[str, str]:
    """Fields of a selection that differ from where one starts, as texts.

    A brush is JSON; one of more than `LONGEST_BRUSH` characters, like a lasso of many corners, is left out.

    Parameters
    ----------
    start
        Values of `FIELDS` that need not be said.
    """
    chosen = {name: getattr(selection, name) for name in FIELDS}
    said = {name: _text(value) for name, value in chosen.items() if value != start[name]}
    return {name: text for name, text in said.items() if name not in BRUSHES or len(text) <= LONGEST_BRUSH}


def apply_query(selection: Selection, query: Mapping[str, str], *, study: Study, start: Mapping[str, Any]) -> list[str]:
    """Let a selection be what a query says, and the start where it says nothing.

    Parameters
    ----------
    query
        Texts by field; other names are left alone.
    start
        Values of `FIELDS` for what the query does not say, or says wrongly.

    Returns
    -------
    A sentence for each value that the study cannot have.
    """
    notices = []
    # Watchers hear once, of all that has changed.
    with param.parameterized.batch_call_watchers(selection):
        selection.param.update(**{name: value for name, value in start.items() if name not in query})
        for name in FIELDS:
            if name not in query:
                continue
            try:
                setattr(selection, name, _checked(name, _read(selection.param[name], query[name]), study=study))
            except (ValueError, BrushError):
                setattr(selection, name, start[name])
                notices.append(f"The address asks for {name} {query[name][:40]!r}, which this study does not have.")
    return notices


def starting_values(selection: Selection) -> dict[str, Any]:
    """Values of all fields now."""
    return {name: getattr(selection, name) for name in FIELDS}


def _text(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Brush):
        return json.dumps(value.to_dict(), separators=(",", ":"))
    if isinstance(value, list):
        return " ".join(f"{layer}.{head}" for layer, head in value) or NONE
    return str(value)


def _checked(name: str, value: Any, *, study: Study) -> Any:
    """Value of a field, held against what of the study its parameter does not know."""
    spec = study.spec
    if isinstance(value, Brush):
        if value.item not in BRUSHES[name]:
            raise ValueError(value)
        mask_of(study, value)  # raises where the study lacks what it speaks of
        return value
    is_there = {
        "pattern": lambda: f"layout/{value}" in study,
        "pinned": lambda: all(spec.has_head(layer, head) for layer, head in value),
    }
    if name in is_there and not is_there[name]():
        raise ValueError(value)
    return value


def _read(parameter: Any, text: str) -> Any:
    if isinstance(parameter, param.ClassSelector):
        return None if text == NONE else Brush.from_dict(json.loads(text[: LONGEST_BRUSH + 1]))
    if isinstance(parameter, HeadList):
        return [] if text == NONE else [_head(pair) for pair in text.split(" ")]
    if text == NONE and parameter.allow_None:
        return None
    if isinstance(parameter, param.Boolean):
        if text not in WORDS:
            raise ValueError(text)
        return WORDS[text]
    if isinstance(parameter, param.Integer):
        return int(text)
    return float(text) if isinstance(parameter, param.Number) else text


def _head(pair: str) -> tuple[int, int]:
    layer, dot, head = pair.partition(".")
    if not dot:
        raise ValueError(pair)
    return int(layer), int(head)
