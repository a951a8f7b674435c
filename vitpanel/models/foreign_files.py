"""What a file is that is not safetensors, seen without running anything of it, and how it becomes one."""

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from vitpanel.models.pickled import Pickled, read_pickled

_MOST_PICKLE = 256 * 2**20
_MOST_KEYS = 6
_TORCH_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
CONVERT = "Weights of other formats can be converted with safetensors.torch.save_file(model.state_dict(), FILE)."
_AGAIN = f"Copy or download it again. {CONVERT}"
BY_ITS_PROGRAM = (
    "Load it with the program that wrote it, put its values into timm's model of this architecture, and save that with "
    "safetensors.torch.save_file(model.state_dict(), FILE)."
)
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes", BY_ITS_PROGRAM),
    (b"\x93NUMPY", "a NumPy array", BY_ITS_PROGRAM),
    (b"GGUF", "a GGUF file", BY_ITS_PROGRAM),
    (b"\x1f\x8b", "compressed by gzip", "Unpack it first."),
    (b"BZh", "compressed by bzip2", "Unpack it first."),
    (b"\xfd7zXZ", "compressed by xz", "Unpack it first."),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "Get the file: git lfs pull."),
)
_ENDINGS = {
    ".onnx": "an ONNX file",
    ".pb": "a TensorFlow file",
    ".tflite": "a TensorFlow Lite file",
    ".msgpack": "a Flax file (msgpack)",
}


class Foreign(NamedTuple):
    """What a file is, in words that follow "it is", and the way to safetensors."""

    what: str
    hint: str


def describe_foreign(path: Path) -> Foreign | None:
    """Say what a file is that is not safetensors; None where that cannot be seen."""
    with path.open("rb") as file:
        start = file.read(512)
        file.seek(0)
        if start.startswith(b"PK\x03\x04"):
            return _zipped(path, file)
        if start.startswith(_TORCH_LEGACY):
            return _legacy(path, file)
        if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
            return _of_pickle(path, read_pickled(file), "a pickle")
    return _by_signature(path, start)


def _by_signature(path: Path, start: bytes) -> Foreign | None:
    known = [Foreign(what, hint) for signature, what, hint in _SIGNATURES if start.startswith(signature)]
    text, length = start.lstrip().lower(), int.from_bytes(start[:8], "little")
    if not start:
        known.append(Foreign("empty", _AGAIN))
    elif path.suffix in _ENDINGS:
        known.append(Foreign(_ENDINGS[path.suffix], BY_ITS_PROGRAM))
    elif text.startswith((b"<!doctype", b"<html")):
        known.append(Foreign("a web page: what was downloaded is not the file", "Download the file itself."))
    elif text.startswith(b"{"):
        hint = "Give the file with the weights; if they are in several files, join them to one first."
        known.append(Foreign("JSON", hint))
    elif start[257:262] == b"ustar":
        known.append(Foreign("a tar archive", "Unpack it first."))
    elif start[8:9] == b"{" and length + 8 > path.stat().st_size:
        known.append(Foreign("safetensors that are cut off", _AGAIN))
    return known[0] if known else None


def _zipped(path: Path, file: BinaryIO) -> Foreign | None:
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        return Foreign("a zip that is cut off, as PyTorch writes", _AGAIN)
    names = archive.namelist()
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        return Foreign("a TorchScript program", _lines(path, 'torch.jit.load("{}").state_dict()'))
    pickles = [name for name in names if name.endswith("data.pkl")]
    if pickles:
        with archive.open(pickles[0]) as data:
            return _of_pickle(path, read_pickled(io.BytesIO(data.read(_MOST_PICKLE))), "a PyTorch file (a pickle)")
    if any(name.endswith(".npy") for name in names):
        return Foreign("an archive of NumPy arrays (.npz), as JAX's ViTs come", BY_ITS_PROGRAM)
    if any(name.endswith(".h5") for name in names):
        return Foreign("a Keras file", BY_ITS_PROGRAM)
    return Foreign("a zip archive", "Unpack it first.")


def _legacy(path: Path, file: BinaryIO) -> Foreign:
    # Before the pickle of what was saved stand those of a magic number, a version and the machine.
    for _ in range(3):
        read_pickled(file)
    return _of_pickle(path, read_pickled(file), "a PyTorch file of before 2020 (a pickle)")


def _of_pickle(path: Path, found: Pickled, kind: str) -> Foreign:
    if "pytorch-lightning_version" in found.keys:
        kind = "a checkpoint of Lightning (a pickle)"
    if not found.keys:
        if any(name.startswith(("torch.nn.", "timm.", "__main__.")) for name in found.classes):
            kind = f"{kind} of a whole model"
        return Foreign(kind, _of_classes(path, found, 'torch.load("{}", map_location="cpu", weights_only=False)'))
    keys = ", ".join(found.keys[:_MOST_KEYS]) + (" …" if found.keys[_MOST_KEYS:] else "")
    what = f"{kind} with {keys} at its top"
    lookup = f'["{found.weights}"]' if found.weights else ""
    only = "False" if found.classes else "True"
    call = f'torch.load("{{}}", map_location="cpu", weights_only={only}){lookup}'
    return Foreign(what, _of_classes(path, found, call))


def _of_classes(path: Path, found: Pickled, call: str) -> str:
    if not found.classes:
        return _lines(path, call)
    call = call if found.keys else f"{call}.state_dict()"
    named = ", ".join(found.classes[:3])
    return f"{_lines(path, call)} Only if you trust the file: this runs code that it names ({named})."


def _lines(path: Path, call: str) -> str:
    """The two lines that make safetensors of a file."""
    new = path.name.split(".")[0] + ".safetensors"
    call = call.replace("{}", path.name)
    return (
        f"vitpanel reads no pickles. Two lines of Python make safetensors of it: state = {call}; "
        f'safetensors.torch.save_file({{k: v.clone().contiguous() for k, v in state.items()}}, "{new}").'
    )


def hugging_face_kind(folder: Path) -> str | None:
    """Class of the model that a folder of transformers (Hugging Face) holds; None where it holds none."""
    with suppress(OSError, ValueError):
        config = json.loads((folder / "config.json").read_bytes())
        if isinstance(config, dict) and "architecture" not in config and ("model_type" in config):
            kinds = config.get("architectures") or [config["model_type"]]
            return str(kinds[0])
    return None
