"""What is chosen, as plain JSON: written for a selection, and read with a notice for what is wrong."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import param

from vitpanel.errors import ChoiceError, VitpanelError
from vitpanel.state.brush import HEAD, IMAGE, INSTANCE, ITEMS, TOKEN, Brush, mask_of
from vitpanel.state.parameters import BrushOrNone, HeadList, KeptBrushes, MapBounds
from vitpanel.study.reader import Study

if TYPE_CHECKING:
    from vitpanel.state.selection import Selection

FIELDS = (
    "image", "layer", "head", "metric", "mode", "token", "threshold", "scale", "extra", "mask", "pattern", "pinned",
    "density", "image_layout", "colouring", "measure", "map_colour", "cloud", "viewport", "images", "heads", "tokens",
    "kept", "against", "share_source", "scatter_x", "scatter_y", "scatter_colour",
)  # fmt: skip
STARTS = ("image", "layer", "head", "metric", "pattern", "image_layout", "share_source")
"""Those of `FIELDS` of which a page starts with what the study knows then."""
BRUSHES = {"images": (IMAGE,), "heads": (HEAD, INSTANCE), "tokens": (TOKEN,)}
STUDY = "study"
"""Beside `FIELDS`: the fingerprint of the study that it was chosen in."""
MOST_NESTED = 60
_LONGEST_SHOWN = 40
# What values of the wrong kind, size or depth raise where they are read or laid over a study.
REFUSALS = (ValueError, TypeError, KeyError, OverflowError, RecursionError, VitpanelError)


def starting_values(selection: "Selection") -> dict[str, Any]:
    """Values of all fields now."""
    return {name: getattr(selection, name) for name in FIELDS}


def said_values(selection: "Selection", *, study: Study, start: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that have to be said, with their values: those that differ from where one starts.

    One starts elsewhere when more of a study has been computed. Of a study that is not finished, all of `STARTS` are
    said once anything has been chosen.
    """
    is_moving = not study.is_finished and bool(selection.history.before)
    always = STARTS if is_moving else ()
    chosen = starting_values(selection)
    return {name: value for name, value in chosen.items() if name in always or value != start[name]}


def to_state(selection: "Selection", *, study: Study, start: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from where one starts, ready for JSON, with the study's fingerprint; empty where nothing does.

    Parameters
    ----------
    start
        Values of `FIELDS` that need not be said.
    """
    said = {name: _plain(value) for name, value in said_values(selection, study=study, start=start).items()}
    return {STUDY: study.fingerprint} | said if said else {}


def apply_state(
    selection: "Selection", state: Mapping[str, Any], *, study: Study, start: Mapping[str, Any], place: str = "state"
) -> list[str]:
    """Let a selection be what a state says, and the start where it says nothing.

    Parameters
    ----------
    state
        As `to_state` gives it; other names are left alone.
    start
        Values of `FIELDS` for what the state does not say, or says wrongly.
    place
        Where it comes from, for the notices.

    Returns
    -------
    A sentence if the state is of another study, and one for each value that the study cannot have; plain text.
    """
    notices = _study_notices(state, study, place)
    # Watchers hear once, of all that has changed.
    with param.parameterized.batch_call_watchers(selection):
        selection.param.update(**{name: value for name, value in start.items() if name not in state})
        for name in FIELDS:
            if name not in state:
                continue
            try:
                value = _value(selection.param[name], state[name])
                _check(name, value, selection=selection, study=study)
                setattr(selection, name, value)
            except REFUSALS:  # of values of the wrong kind, size or depth
                setattr(selection, name, start[name])
                shown = _shown(state[name])
                notices.append(f"The {place} asks for {name} {shown}, which this study does not have.")
    return notices


def check_names(state: Mapping[str, Any]) -> None:
    """Raise a `ChoiceError` if a state has names that mean nothing."""
    unknown = [str(name) for name in state if name not in {*FIELDS, STUDY}]
    if unknown:
        message = f"A state has nothing of the name {', '.join(unknown)}."
        raise ChoiceError(message, hint=f"It may have {', '.join((STUDY, *FIELDS))}.")


def _study_notices(state: Mapping[str, Any], study: Study, place: str) -> list[str]:
    if state.get(STUDY, study.fingerprint) == study.fingerprint:
        return []
    made_for = f"another study ({_shown(state[STUDY])}; this one is {study.fingerprint!r})"
    meaning = "the same numbers may be other images and heads here. What this study has of it is shown."
    return [f"The {place} was made for {made_for}: {meaning}"]


def _shown(value: object) -> str:
    text = repr(value[: _LONGEST_SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= _LONGEST_SHOWN + 2 else f"{text[:_LONGEST_SHOWN]}…"


def _plain(value: Any) -> Any:
    if isinstance(value, Brush):
        return value.to_dict()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _value(parameter: Any, plain: Any) -> Any:
    """Value of a parameter from JSON; raises one of `REFUSALS`."""
    if isinstance(parameter, KeptBrushes):
        return {name: _brush(part) for name, part in plain.items()} if isinstance(plain, dict) else _refuse(plain)
    if isinstance(parameter, BrushOrNone):
        return None if plain is None else _brush(plain)
    if isinstance(parameter, HeadList):
        return [tuple(head) for head in plain]
    if isinstance(parameter, MapBounds):
        return None if plain is None else tuple(plain)
    if isinstance(parameter, param.Number) and not isinstance(parameter, param.Boolean) and isinstance(plain, bool):
        _refuse(plain)
    return plain


def _brush(plain: Any) -> Brush:
    if _depth(plain) > MOST_NESTED:
        _refuse(plain)
    return Brush.from_dict(plain)


def _refuse(plain: Any) -> Any:
    message = f"{plain!r} is of another kind."
    raise ValueError(message)


def _depth(plain: Any) -> int:
    """How deep lists and dictionaries stand in each other, up to one more than `MOST_NESTED`."""
    level, depth = [plain], 0
    while level and depth <= MOST_NESTED:
        depth += 1
        nested = [part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list)]
        level = [part for parts in nested for part in parts]
    return depth


def _brushes(value: Any) -> list[Brush]:
    parts = value.values() if isinstance(value, dict) else [value]
    return [part for part in parts if isinstance(part, Brush)]


def _check(name: str, value: Any, *, selection: "Selection", study: Study) -> None:
    """Hold a value against what of the study its parameter does not know; raises one of `REFUSALS`."""
    spec = study.spec
    for brush in _brushes(value):
        if brush.item not in BRUSHES.get(name, ITEMS):
            _refuse(value)
        mask_of(study, brush)  # raises where the study lacks what it speaks of
    is_there = {
        "pattern": lambda: f"layout/{value}" in study,
        "pinned": lambda: all(spec.has_head(layer, head) for layer, head in value),
        "against": lambda: value is None or value in selection.kept_images,
    }
    if name in is_there and not is_there[name]():
        _refuse(value)
