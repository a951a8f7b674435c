"""What a manifest may say: types and ranges of every key, and what must fit together."""

from collections.abc import Callable
from typing import Any

from vitpanel.study.places import is_inner_name
from vitpanel.study.rules import (
    MisfitError,
    Rule,
    each,
    flag,
    integer,
    maybe,
    number,
    one_of,
    pairs,
    plain,
    record,
    text,
)
from vitpanel.study.schema import FORMAT_VERSION

MOST_IMAGES, MOST_CLASSES, MOST_SEED = 100_000_000, 1_000_000, 2**63 - 1
_KINDS = one_of("cls", "register", "distillation")
_NAME, _SCALARS = text(1_000), plain(depth=0, most=0)
_DIGEST = text(64)
_SIDE = integer(1, 100_000)


def inner_name(value: Any, place: str) -> None:
    """A relative path that stays inside of the study."""
    text()(value, place)
    if not is_inner_name(value):
        raise MisfitError(value, place, "a relative path inside of the study")


def _head(value: Any, place: str) -> None:
    if value == {}:
        return
    count, share = integer(0, MOST_IMAGES), number(0, 1)
    probe = {"n_train": count, "n_test": count, "accuracy_train": share, "accuracy_test": share}
    tests = {"test_images": each(count, most=MOST_IMAGES)}
    is_probe = isinstance(value, dict) and value.get("kind") == "probe"  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    kind: dict[str, Rule] = {"kind": one_of("probe", "head")}
    required, optional = (kind | probe, tests) if is_probe else (kind | {"file": text()}, {})
    record(required, optional, others=plain(depth=1, most=MOST_IMAGES))(value, place)


def _check(value: Any, place: str) -> None:
    """A record of `vitpanel.core.trust.Check`, or a bare figure."""
    if not isinstance(value, dict):
        return number()(value, place)
    fields = {"name": _NAME, "value": number(), "limit": number(), "passed": flag, "sentence": text(), "views": text()}
    return record(fields | {"arrays": each(_NAME, most=1_000)})(value, place)


_SPEC = record(
    {
        "n_layers": integer(1, 1_000),
        "n_heads": integer(1, 1_000),
        "grid": record({"rows": integer(1, 1_000), "cols": integer(1, 1_000), "prefix": each(_KINDS, most=1_000)}),
        "image_size": each(_SIDE, least=2, most=2),
        "pooling": text(100),
        "n_classes": integer(0, MOST_CLASSES),
    },
    {"heads": each(integer(1, 1_000), most=1_000)},
)
_PER_CHANNEL = each(number(-1e6, 1e6), least=1, most=1_000)
_PREPROCESSING = record(
    {},
    {
        "input_size": each(_SIDE, least=3, most=3),
        "mean": _PER_CHANNEL,
        "std": _PER_CHANNEL,
        "interpolation": text(100),
        "crop_pct": number(1e-3, 1e3),
        "crop_mode": text(100),
    },
    others=plain(depth=1, most=100),
)
_MODEL = record(
    {"name": _NAME, "weight_hash": _NAME, "spec": _SPEC, "preprocessing": _PREPROCESSING},
    {
        "source": _NAME,
        "checkpoint": maybe(text()),
        "revision": maybe(_NAME),
        "provenance": pairs(_SCALARS, most=100),
        "head": _head,
        "args": pairs(plain(depth=1, most=100), most=100, key=text(100)),
        "in_chans": integer(1, 1_000),
        "class_names": each(text(), most=MOST_CLASSES),
    },
    others=plain(depth=3, most=MOST_CLASSES),
)
_SKIPPED = record({"file": text(), "reason": text(20_000)}, others=_SCALARS)
_UNMATCHED = record({"label": text(), "n_images": integer(0, MOST_IMAGES), "reason": text(20_000)}, others=_SCALARS)
_IMAGES = record(
    {"root": text(), "hash": _NAME, "n_images": integer(1, MOST_IMAGES)},
    {
        "skipped": each(_SKIPPED, most=MOST_IMAGES),
        "unmatched": each(_UNMATCHED, most=MOST_IMAGES),
        "remarks": each(text(20_000), most=1_000),
    },
    others=plain(depth=3, most=MOST_IMAGES),
)
_SETTINGS = record(
    {"seed": integer(-MOST_SEED, MOST_SEED), "block_size": integer(1, 1_000_000), "latent_dim": integer(1, 100_000)},
    {"layout_sample": integer(1, MOST_SEED), "precision": one_of("float32", "tf32", "fp16"), "exif": flag},
    others=_SCALARS,
)
_NEIGHBOURS = record({"kept": maybe(number(0, 1)), "by_chance": maybe(number(0)), "n": integer(0, MOST_SEED)})
_DETAIL = record(
    {},
    {"average_precision": number(0, 1), "neighbours": pairs(_NEIGHBOURS, most=100)},
    others=plain(depth=3, most=100_000),
)
_STAGE = record(
    {"done": flag},
    {"seconds": number(0), "arrays": each(_NAME, most=1_000), "detail": _DETAIL, "receipt": _DIGEST},
    others=_SCALARS,
)
MANIFEST = record(
    {
        "model": _MODEL,
        "images": _IMAGES,
        "settings": _SETTINGS,
        "versions": pairs(text(200), most=1_000, key=text(200)),
        "checks": pairs(_check, most=1_000, key=text(200)),
        "stages": pairs(_STAGE, most=100, key=text(100)),
        "files": pairs(_DIGEST, most=1_000, key=inner_name),
        "created": text(100),
        "notes": text(100_000),
        "format_version": integer(1, FORMAT_VERSION),
    },
    others=plain(depth=4, most=100_000),
)


def check_manifest(content: dict[str, Any]) -> None:
    """Hold the content of a manifest against the rules.

    Raises
    ------
    MisfitError
        At the first key that does not fit, with its value.
    """
    MANIFEST(content, "")
    for check in _FITS:
        check(content["model"])


def _patches_fit(model: dict[str, Any]) -> None:
    spec = model["spec"]
    for side, cells, pixels in zip(
        ("rows", "cols"), (spec["grid"]["rows"], spec["grid"]["cols"]), spec["image_size"], strict=True
    ):
        if cells > pixels:
            raise MisfitError(cells, f"model.spec.grid.{side}", f"at most the {pixels} pixels of the image")
    if spec["grid"]["prefix"].count("cls") > 1:
        raise MisfitError(spec["grid"]["prefix"], "model.spec.grid.prefix", "with one cls at most")


def _names_fit(model: dict[str, Any]) -> None:
    names, n_classes = model.get("class_names", []), model["spec"]["n_classes"]
    if n_classes and names and len(names) != n_classes:
        raise MisfitError(names, "model.class_names", f"as long as model.spec.n_classes says, {n_classes}")


def _input_fits(model: dict[str, Any]) -> None:
    given, size, channels = model["preprocessing"], model["spec"]["image_size"], model.get("in_chans")
    expected = given.get("input_size")
    if expected is not None and expected[1:] != size:
        raise MisfitError(str(expected), "model.preprocessing.input_size", f"of the size that model.spec has, {size}")
    if expected is not None and channels is not None and expected[0] != channels:
        raise MisfitError(channels, "model.in_chans", f"what model.preprocessing.input_size has, {expected[0]}")
    for key in ("mean", "std"):
        if key in given and channels is not None and len(given[key]) not in {1, channels}:
            raise MisfitError(given[key], f"model.preprocessing.{key}", f"one value for each of {channels} channels")
    if 0 in given.get("std", []):
        raise MisfitError(0, "model.preprocessing.std", "other than 0")


def _heads_fit(model: dict[str, Any]) -> None:
    spec = model["spec"]
    heads = spec.get("heads", [])
    if heads and (len(heads) != spec["n_layers"] or max(heads) != spec["n_heads"]):
        raise MisfitError(heads, "model.spec.heads", f"one for each of {spec['n_layers']} layers, at most n_heads")


_FITS: tuple[Callable[[dict[str, Any]], None], ...] = (_patches_fit, _names_fit, _input_fits, _heads_fit)
