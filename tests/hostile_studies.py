"""Studies that somebody has made to do harm: each a change of a good study, with a digest that fits."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from vitpanel.study.tables import CROPS, IMAGES, images_bytes, table_bytes

Change = Callable[[Path], object]
REMOVED = object()


def rewrite(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a record and give it a digest that fits."""
    content = json.loads(file.read_bytes())
    del content["sha256"]
    change(content)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    file.write_text(json.dumps(content | {"sha256": digest}, indent=1))


def manifest_with(place: str, value: object) -> Change:
    """Set, or remove, one value of the manifest by its dotted place."""

    def change(path: Path) -> None:
        def at_place(content: dict[str, Any]) -> None:
            *parents, last = place.split(".")
            for name in parents:
                content = content[name]
            if value is REMOVED:
                del content[last]
            else:
                content[last] = value

        rewrite(path / "manifest.json", at_place)

    return change


def nested(depth: int) -> Any:
    """Return a list in a list in a list."""
    result: list[Any] = []
    for _ in range(depth):
        result = [result]
    return result


def manifest_text(old: str, new: str) -> Change:
    """Change the text of the manifest, for values that Python's JSON does not write; the digest is left aside."""

    def change(path: Path) -> None:
        file = path / "manifest.json"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")

    return change


def receipt_with(name: str, value: object) -> Change:
    """Set one value of the receipt of block 1."""
    return lambda path: rewrite(path / "blocks" / "000001.json", lambda content: content.update({name: value}))


def fifo(name: str) -> Change:
    """Put a pipe in the place of a file: whoever opens it waits for ever."""

    def change(path: Path) -> None:
        (path / name).unlink()
        os.mkfifo(path / name)

    return change


def link_out(name: str) -> Change:
    """Move a part of a study out of it and leave a link."""

    def change(path: Path) -> None:
        outside = path.parent / f"outside-{Path(name).name}"
        shutil.move(path / name, outside)
        (path / name).symlink_to(outside)

    return change


def sparse(name: str, size: int) -> Change:
    """Make a file huge without taking room."""

    def change(path: Path) -> None:
        with (path / name).open("r+b") as file:
            file.truncate(size)

    return change


def images_with(**columns: object) -> Change:
    """Write the table of images with other columns, and digests that fit."""

    def change(path: Path) -> None:
        images = pd.read_parquet(path / "images.parquet").set_index("image_id")
        (path / "images.parquet").write_bytes(images_bytes(images.assign(**columns)))

    return change


def many_images(n: int) -> Change:
    """Write a table of so many images, in step with the manifest."""

    def change(path: Path) -> None:
        empty, zeros = pa.nulls(n, pa.string()).fill_null(""), pa.nulls(n, pa.int64()).fill_null(0)
        columns = [empty if field.type == pa.string() else zeros.cast(field.type) for field in IMAGES]
        columns[0] = pa.array(range(n), pa.int64())
        (path / "images.parquet").write_bytes(table_bytes(pa.table(columns, schema=IMAGES)))
        manifest_with("images.n_images", n)(path)

    return change


def crops_bomb(path: Path) -> None:
    """Give a crop that unpacks to a thousand times its size."""
    rows = [[5, 6, 7, 8, 9], [bytes(2**22)] * 5, [b""] * 5]
    (path / "crops" / "000001.parquet").write_bytes(table_bytes(pa.table(rows, schema=CROPS)))


def folder_in_place(name: str) -> Change:
    """Put a folder where a file belongs."""

    def change(path: Path) -> None:
        (path / name).unlink()
        (path / name).mkdir()

    return change


_CHUNK = "arrays.zarr/importance/probability/c/1/0/0"
_PROBE = {"kind": "probe", "n_train": 3, "n_test": 1, "accuracy_train": 1.0, "accuracy_test": "all"}
_CHECK = {"name": "tokens", "value": 1, "limit": 1, "passed": True, "sentence": "", "views": "", "arrays": []}

# What is wrong with the manifest alone; the error names the key.
MANIFESTS: dict[str, tuple[str, Change]] = {
    f"{place}={name}": (place, manifest_with(place, value))
    for place, name, value in [
        ("settings.block_size", "0", 0),
        ("settings.block_size", "missing", REMOVED),
        ("settings.block_size", "negative", -5),
        ("settings.block_size", "true", True),
        ("settings.block_size", "float", 5.0),
        ("settings.block_size", "huge", 10**30),
        ("settings.latent_dim", "text", "6"),
        ("settings.latent_dim", "huge", 10**9),
        ("settings.seed", "null", None),
        ("settings.layout_sample", "negative", -1),
        ("settings.precision", "unknown", "int1"),
        ("settings.more", "object", {"a": 1}),
        ("settings", "list", []),
        ("settings", "null", None),
        ("model", "null", None),
        ("model", "text", "vit"),
        ("model.name", "null", None),
        ("model.name", "megabytes", "x" * 5_000_000),
        ("model.name", "half a character", "\ud800"),
        ("model.name", "list", ["vit"]),
        ("model.source", "number", 3),
        ("model.checkpoint", "list", ["/etc/passwd"]),
        ("model.revision", "object", {}),
        ("model.weight_hash", "missing", REMOVED),
        ("model.args", "list", []),
        ("model.args", "nested", {"pretrained_cfg": {"url": {"deep": "http://x"}}}),
        ("model.args", "deep", {"img_size": nested(200)}),
        ("model.args", "long", {"img_size": [1] * 100_000}),
        ("model.class_names", "text", "cat"),
        ("model.class_names", "numbers", [1, 2, 3]),
        ("model.class_names", "too many", ["x"] * 10**6),
        ("model.class_names", "too few", ["x"]),
        ("model.in_chans", "0", 0),
        ("model.head", "list", [1]),
        ("model.head", "no kind", {"file": "x"}),
        ("model.head.accuracy_test", "text", None),
        ("model.provenance", "nested", {"tag": {"a": []}}),
        ("model.preprocessing", "null", None),
        ("model.preprocessing.mean", "text", "0.5"),
        ("model.preprocessing.std", "0", [0.0, 0.5, 0.5]),
        ("model.preprocessing.mean", "other channels", [0.5, 0.5]),
        ("model.preprocessing.input_size", "other size", [3, 224, 224]),
        ("model.preprocessing.crop_pct", "negative", -1.0),
        ("model.spec", "missing", REMOVED),
        ("model.spec", "list", [2, 3]),
        ("model.spec.n_layers", "0", 0),
        ("model.spec.n_layers", "huge", 10**9),
        ("model.spec.n_heads", "negative", -3),
        ("model.spec.n_heads", "text", "3"),
        ("model.spec.n_heads", "missing", REMOVED),
        ("model.spec", "more", {"n_layers": 2}),
        ("model.spec.grid", "null", None),
        ("model.spec.grid.rows", "0", 0),
        ("model.spec.grid.rows", "more than pixels", 33),
        ("model.spec.grid.cols", "float", 4.5),
        ("model.spec.grid.prefix", "text", "cls"),
        ("model.spec.grid.prefix", "unknown", ["cls", "evil"]),
        ("model.spec.grid.prefix", "two cls", ["cls", "cls"]),
        ("model.spec.grid.prefix", "long", ["register"] * 10**5),
        ("model.spec.image_size", "one side", [32]),
        ("model.spec.image_size", "negative", [-32, 32]),
        ("model.spec.pooling", "null", None),
        ("model.spec.n_classes", "negative", -1),
        ("model.spec.n_classes", "huge", 10**12),
        ("images", "list", []),
        ("images.n_images", "text", "many"),
        ("images.n_images", "0", 0),
        ("images.n_images", "null", None),
        ("images.n_images", "huge", 10**9),
        ("images.n_images", "missing", REMOVED),
        ("images.root", "number", 1),
        ("images.hash", "null", None),
        ("images.skipped", "object", {"file": "x"}),
        ("images.skipped", "no reason", [{"file": "x"}]),
        ("versions", "list", ["vitpanel"]),
        ("versions", "numbers", {"vitpanel": 1}),
        ("checks", "list", []),
        ("checks.tokens", "text", "passed"),
        ("checks.tokens", "more", _CHECK | {"more": 1}),
        ("checks.tokens", "less", {"name": "tokens"}),
        ("checks.tokens", "arrays", _CHECK | {"arrays": 3}),
        ("checks.tokens", "passed", _CHECK | {"passed": "no"}),
        ("stages", "list", []),
        ("stages.heads", "true", True),
        ("stages.heads.done", "text", "yes"),
        ("stages.heads.done", "missing", REMOVED),
        ("stages.heads.seconds", "text", "long"),
        ("stages.heads.seconds", "negative", -1),
        ("stages.heads.arrays", "number", 3),
        ("stages.latents.detail", "list", []),
        ("stages.latents.detail.average_precision", "text", "good"),
        ("stages.layout.detail.neighbours", "list", [1]),
        ("stages.layout.detail.neighbours", "text inside", {"layout/cls": {"kept": "all", "by_chance": 0, "n": 1}}),
        ("files", "list", ["autoencoder.safetensors"]),
        ("files", "numbers", {"autoencoder.safetensors": 1}),
        ("created", "number", 2026),
        ("notes", "megabytes", "x" * 5_000_000),
        ("notes", "null", None),
        ("format_version", "true", True),
        ("format_version", "text", "1"),
        ("format_version", "negative", -1),
    ]
}
MANIFESTS["model.head.accuracy_test=text"] = ("model.head.accuracy_test", manifest_with("model.head", _PROBE))
for _name in ("../../canary.txt", "/etc/passwd", "C:\\canary.txt", "a/../../b", "\\\\host\\share", "..\\x", "", "a\0b"):
    MANIFESTS[f"files={_name!r}"] = ("files", manifest_with("files", {_name: "0" * 64}))
for _value in ("NaN", "Infinity", "-Infinity", "1e400", "1" * 5_000):
    MANIFESTS[f"number {_value[:9]}"] = ("", manifest_text('"crop_pct": 1.0', f'"crop_pct": {_value}'))

# What is wrong with the manifest as a file, or with another file; the error names the file.
FILES: dict[str, tuple[str, Change]] = {
    "manifest nested 100,000 deep": (
        "manifest.json",
        manifest_text('"args": {}', f'"args": {"[" * 10**5}{"]" * 10**5}'),
    ),
    "manifest of objects 100,000 deep": (
        "manifest.json",
        manifest_text('"args": {}', f'"args": {"{" + chr(34) + "a" + chr(34) + ":"}' * 10**5),
    ),
    "manifest a list": ("manifest.json", lambda path: (path / "manifest.json").write_text("[]")),
    "manifest binary": ("manifest.json", lambda path: (path / "manifest.json").write_bytes(bytes(range(256)))),
    "manifest a pipe": ("manifest.json", fifo("manifest.json")),
    "manifest huge": ("manifest.json", sparse("manifest.json", 2**40)),
    "manifest a link out": ("manifest.json", link_out("manifest.json")),
    "manifest a folder": ("manifest.json", folder_in_place("manifest.json")),
    "images a pipe": ("images.parquet", fifo("images.parquet")),
    "images a link out": ("images.parquet", link_out("images.parquet")),
    "images a folder": ("images.parquet", folder_in_place("images.parquet")),
    "label beyond the classes": ("images.parquet", images_with(label=3)),
    "label far below": ("images.parquet", images_with(label=-7)),
    "prediction beyond the classes": ("images.parquet", images_with(predicted=10**9)),
    "probability of 2": ("images.parquet", images_with(p_true=2.0)),
    "names that unpack to megabytes": ("images.parquet", images_with(file="x" * 2**22)),
    "more images than the table has": ("images.parquet", manifest_with("images.n_images", 10**8)),
    "fewer images than the table has": ("images.parquet", manifest_with("images.n_images", 7)),
    "very many images of which few are there": ("zarr.json", many_images(1_000)),
    "chunk a pipe": (_CHUNK, fifo(_CHUNK)),
    "chunk a link out": (_CHUNK, link_out(_CHUNK)),
    "chunk a folder": (_CHUNK, folder_in_place(_CHUNK)),
    "chunk huge": (_CHUNK, sparse(_CHUNK, 2**40)),
    "array folder a link out": ("importance/probability", link_out("arrays.zarr/importance/probability")),
    "arrays a link out": ("arrays.zarr", link_out("arrays.zarr")),
    "metadata a pipe": ("importance/probability/zarr.json", fifo("arrays.zarr/importance/probability/zarr.json")),
    "metadata huge": (
        "importance/probability/zarr.json",
        sparse("arrays.zarr/importance/probability/zarr.json", 2**40),
    ),
    "model of another shape than its arrays": ("zarr.json", manifest_with("model.spec.n_heads", 4)),
    "more layers than the arrays have": ("zarr.json", manifest_with("model.spec.n_layers", 999)),
    "other blocks than the arrays have": ("blocks", manifest_with("settings.block_size", 4)),
    "receipt a pipe": ("000001.json", fifo("blocks/000001.json")),
    "receipt of another block": ("000001.json", receipt_with("block", 2)),
    "receipt of other images": ("000001.json", receipt_with("images", [0, 10**9])),
    "receipt with arrays a number": ("000001.json", receipt_with("arrays", 5)),
    "receipt with a path out": ("000001.json", receipt_with("files", {"../../canary.txt": "0" * 64})),
}
# Nothing that a summary reads: these are for --verify and the pages.
UNREAD: dict[str, tuple[str, Change]] = {
    "crops a pipe": ("crops/000001.parquet", fifo("crops/000001.parquet")),
    "crops that unpack to megabytes": ("crops/000001.parquet", crops_bomb),
    "autoencoder a pipe": ("autoencoder.safetensors", fifo("autoencoder.safetensors")),
    "autoencoder a link out": ("autoencoder.safetensors", link_out("autoencoder.safetensors")),
    "autoencoder huge": ("autoencoder.safetensors", sparse("autoencoder.safetensors", 2**40)),
}
