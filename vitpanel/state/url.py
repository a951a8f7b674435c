"""What is chosen, as the query of an address."""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import param

from vitpanel.state.brush import Brush
from vitpanel.state.parameters import BrushOrNone, HeadList, KeptBrushes, MapBounds
from vitpanel.state.saved_state import BRUSHES, FIELDS, REFUSALS, STUDY, apply_state, said_values, to_state
from vitpanel.study.reader import Study

if TYPE_CHECKING:
    from vitpanel.state.selection import Selection

LONGEST_BRUSH, LONGEST_KEPT = 1000, 2000
LONGEST_READABLE = 160  # JSON that is longer is packed
LARGEST_UNPACKED = 20_000
PACKED = "~"
NONE = "none"
WORDS = {"yes": True, "no": False}
_MOST_TEXTS = 32


def to_query(selection: "Selection", *, study: Study, start: Mapping[str, Any]) -> dict[str, str]:
    """Fields of a selection that have to be said (`said_values`), as texts, and the study's fingerprint.

    A brush is JSON, packed where that is long. One of more than `LONGEST_BRUSH` characters, like a lasso of very many
    corners, is left out; so are the longest of the kept ones until they are `LONGEST_KEPT` together.

    Parameters
    ----------
    start
        Values of `vitpanel.state.saved_state.FIELDS` that need not be said.
    """
    said: dict[str, str] = {}
    names = _names_that_fit(tuple(selection.kept.items()))
    for name, value in said_values(selection, study=study, start=start).items():
        if name == "kept":
            fitting = {key: value[key] for key in names}
            said |= {name: _text(fitting)} if fitting != start[name] else {}
        elif name != "against" or value is None or value in names:
            said[name] = _text(value)
    said = {name: text for name, text in said.items() if name not in BRUSHES or len(text) <= LONGEST_BRUSH}
    return {STUDY: study.fingerprint} | said if said else {}


def left_out(selection: "Selection", *, study: Study, start: Mapping[str, Any]) -> list[str]:
    """What has no room in a query, in words; empty where it says all."""
    said = to_query(selection, study=study, start=start)
    state = to_state(selection, study=study, start=start)
    words = [f"the brush of {name}" for name in BRUSHES if name in state and name not in said]
    n_left_out = len(selection.kept) - len(_names_that_fit(tuple(selection.kept.items())))
    return [*words, f"{n_left_out} of the kept brushes"] if n_left_out else words


def apply_query(
    selection: "Selection", query: Mapping[str, str], *, study: Study, start: Mapping[str, Any]
) -> list[str]:
    """Let a selection be what a query says, and the start where it says nothing.

    Parameters
    ----------
    query
        Texts by field; other names are left alone.
    start
        Values of `vitpanel.state.saved_state.FIELDS` for what the query does not say, or says wrongly.

    Returns
    -------
    A sentence if the query is of another study, and one for each value that the study cannot have; plain text.
    """
    state: dict[str, Any] = {}
    for name, text in query.items():
        if name in FIELDS:
            try:
                state[name] = _plain(selection.param[name], text)
            except REFUSALS:
                state[name] = text  # which no field takes that has to be read
        elif name == STUDY:
            state[name] = text
    return apply_state(selection, state, study=study, start=start, place="address")


def _text(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Brush):
        return _brush_text(value)
    if isinstance(value, dict):
        return _packed({name: brush.to_dict() for name, brush in value.items()})
    if isinstance(value, list):
        return " ".join(f"{layer}.{head}" for layer, head in value) or NONE
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@lru_cache(maxsize=_MOST_TEXTS)
def _brush_text(brush: Brush) -> str:
    """JSON of a brush; kept, since that of many images takes long, and it is asked for at each choice."""
    return _packed(brush.to_dict())


@lru_cache(maxsize=_MOST_TEXTS)
def _names_that_fit(kept: tuple[tuple[str, Brush], ...]) -> tuple[str, ...]:
    """Names of the kept brushes that have room in a query."""
    fit = sorted(kept, key=lambda item: len(_brush_text(item[1])))
    while len(_text(dict(fit))) > LONGEST_KEPT:
        fit.pop()
    return tuple(name for name, _ in fit)


def _packed(plain: Any) -> str:
    text = json.dumps(plain, separators=(",", ":"))
    if len(text) <= LONGEST_READABLE:
        return text
    return PACKED + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def _unpacked(text: str) -> Any:
    """Inverse of `_packed`; ValueError if it is none, or larger than what we would write."""
    if not text.startswith(PACKED):
        return json.loads(text)
    packed = text.removeprefix(PACKED).encode()
    reader = zlib.decompressobj()
    try:
        unpacked = reader.decompress(base64.urlsafe_b64decode(packed + b"=" * (-len(packed) % 4)), LARGEST_UNPACKED)
    except zlib.error as error:
        raise ValueError(text) from error
    if not reader.eof:
        raise ValueError(text)
    return json.loads(unpacked)


def _plain(parameter: Any, text: str) -> Any:
    """Value of a field as JSON has it; raises one of `REFUSALS`."""
    if text == NONE and isinstance(parameter, HeadList):
        return []
    if text == NONE and parameter.allow_None:
        return None
    found = (read for kind, read in _READERS if isinstance(parameter, kind))
    return next(found, str)(text)


def _head(pair: str) -> list[int]:
    layer, dot, head = pair.partition(".")
    if not dot:
        raise ValueError(pair)
    return [int(layer), int(head)]


# By kind of parameter, of which some are kinds of others: the first that fits counts.
_READERS: tuple[tuple[type[param.Parameter[Any]], Callable[[str], Any]], ...] = (
    (HeadList, lambda text: [_head(pair) for pair in text.split(" ")]),
    (MapBounds, lambda text: [float(number) for number in text.split(" ")]),
    (KeptBrushes, _unpacked),
    (param.Boolean, WORDS.__getitem__),
    (param.Integer, int),
    (param.Number, float),
    (BrushOrNone, _unpacked),
)
