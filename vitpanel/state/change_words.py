"""What has changed between two moments of a selection, in words."""

from collections.abc import Callable, Mapping
from typing import Any

from vitpanel.core.metrics import metric_of
from vitpanel.core.regions import PruningMode
from vitpanel.core.spec import short_head_name
from vitpanel.state.brush import Brush

MOST_SAID = 2
LONGEST = 70
Values = Mapping[str, Any]
BRUSHES = {"images": "images", "heads": "heads", "tokens": "tokens"}
# Parameters whose new value stands after a few words.
_NAMED = {
    "scale": "shades",
    "mask": "mask",
    "pattern": "layout of heads",
    "image_layout": "layout of images",
    "colouring": "colours of images",
    "measure": "measure",
    "map_colour": "colours of heads",
    "share_source": "attention to brushed tokens from",
    "scatter_x": "across the chart of all heads",
    "scatter_y": "up the chart of all heads",
    "scatter_colour": "colours of the chart of all heads",
}
_SWITCHES = {
    "extra": ("extra tokens shown", "extra tokens hidden"),
    "density": ("heads as density", "heads as points"),
    "cloud": ("chosen head lit on all images", "chosen head not lit on all images"),
}


def change_words(before: Values, after: Values) -> str:
    """What is not as it was, the most telling first; plain text, empty where nothing has changed.

    Parameters
    ----------
    before, after
        Values of the parameters of a `vitpanel.Selection` by name.
    """
    changed = {name for name in after if before[name] != after[name]}
    said = [words(before, after) for names, words in _WORDS if changed & set(names)]
    # Where one was before a jump is no choice, unless nothing else was one.
    said = said or ["way back"] * bool(changed)
    more = len(said) - MOST_SAID
    return ", ".join(map(shortened, said[:MOST_SAID])) + (f" and {more} more" if more > 0 else "")


def shortened(text: str) -> str:
    """Words of at most `LONGEST` characters."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def quoted(name: str) -> str:
    """Name that a person gave, in quotation marks."""
    return f"“{name}”"


def _image(before: Values, after: Values) -> str:
    old, new = before["image"], after["image"]
    if new is None:
        return "all images"
    return f"image {new}" if old is None else f"image {old} → {new}"


def _head(before: Values, after: Values) -> str:
    old, new = (short_head_name(values["layer"], values["head"]) for values in (before, after))
    return f"head {old} → {new}"


def _token(_: Values, after: Values) -> str:
    return "no token" if after["token"] is None else f"token {after['token']}"


def _pins(before: Values, after: Values) -> str:
    added = [head for head in after["pinned"] if head not in before["pinned"]]
    gone = [head for head in before["pinned"] if head not in after["pinned"]]
    if not added and not gone:
        return "order of pins"
    said = [f"{word} {' '.join(short_head_name(*head) for head in heads)}"
            for word, heads in (("pin", added), ("unpin", gone)) if heads]  # fmt: skip
    return ", ".join(said)


def _kept(before: Values, after: Values) -> str:
    new = [name for name, brush in after["kept"].items() if before["kept"].get(name) != brush]
    gone = [name for name in before["kept"] if name not in after["kept"]]
    said = [f"{word} {', '.join(map(quoted, names))}" for word, names in (("keep", new), ("forget", gone)) if names]
    return ", ".join(said)


def _against(_: Values, after: Values) -> str:
    return f"compare with {'the rest' if after['against'] is None else quoted(after['against'])}"


def _viewport(_: Values, after: Values) -> str:
    return "whole map of heads" if after["viewport"] is None else "part of the map of heads"


def _brush(name: str) -> Callable[[Values, Values], str]:
    def words(_: Values, after: Values) -> str:
        brush: Brush | None = after[name]
        return f"no brush of {BRUSHES[name]}" if brush is None else f"brush: {brush.words}"

    return words


def _named(name: str) -> Callable[[Values, Values], str]:
    return lambda _, after: f"{_NAMED[name]}: {after[name]}"


def _switch(name: str) -> Callable[[Values, Values], str]:
    return lambda _, after: _SWITCHES[name][not after[name]]


_WORDS: tuple[tuple[tuple[str, ...], Callable[[Values, Values], str]], ...] = (
    (("image",), _image),
    (("layer", "head"), _head),
    (("metric",), lambda _, after: f"metric: {metric_of(after['metric']).label}"),
    (("mode",), lambda _, after: f"pruning mode: {PruningMode(after['mode']).label}"),
    (("token",), _token),
    (("pinned",), _pins),
    *(((name,), _brush(name)) for name in BRUSHES),
    (("kept",), _kept),
    (("against",), _against),
    (("threshold",), lambda _, after: f"threshold {after['threshold']:.3g}"),
    *(((name,), _named(name)) for name in _NAMED),
    *(((name,), _switch(name)) for name in _SWITCHES),
    (("viewport",), _viewport),
)
