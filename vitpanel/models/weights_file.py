"""Reading safetensors."""

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from vitpanel.errors import CheckpointError
from vitpanel.models.foreign_files import CONVERT, describe_foreign, hugging_face_kind
from vitpanel.models.foreign_keys import HUGGING_FACE_HINT


@dataclass(frozen=True, eq=False)
class Weights:
    """Tensors by their names, and what the file says of itself."""

    path: Path
    tensors: dict[str, Tensor]
    metadata: Mapping[str, str]

    def literal(self, key: str) -> Any:
        """A value of the metadata that is written as Python writes it.

        Raises
        ------
        CheckpointError
            If it is not.
        """
        return parsed(self.metadata[key], key, self.path)


def parsed(text: str, key: str, path: Path) -> Any:
    """A value that a file's metadata holds as text; raises as `Weights.literal` does."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        message = f"The metadata of {path} says {key} = {text!r:.80}, which is no value."
        raise CheckpointError(message, hint="Save the file with metadata like {'num_heads': '12'}.") from error


def read_weights(path: Path) -> Weights:
    """Read a safetensors file whole.

    Raises
    ------
    CheckpointError
        If there is no such file, or it is none of safetensors; the message says what it is instead.
    """
    with opened_weights(path) as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return Weights(path, tensors, file.metadata() or {})


def n_values(path: Path) -> int:
    """How many numbers a safetensors file holds, by its head alone; raises as `read_weights` does."""
    with opened_weights(path) as file:
        total = 0
        for key in file.keys():  # noqa: SIM118
            size = 1
            for length in file.get_slice(key).get_shape():
                size *= length
            total += size
        return total


@contextmanager
def opened_weights(path: Path, *, hint: str = "") -> Iterator[Any]:
    """Open a safetensors file; raises as `read_weights` does, with ``hint`` where one is given."""
    if path.is_dir():
        raise _folder(path)
    if not path.is_file():
        message = f"There is no file {path}."
        raise CheckpointError(message, hint="Check the path.")
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error, hint) from error


def _unreadable(path: Path, error: Exception, hint: str) -> CheckpointError:
    try:
        foreign = describe_foreign(path)
    except OSError:
        foreign = None
    if foreign is None:
        return CheckpointError(f"{path} cannot be read as safetensors: {error}.", hint=hint or CONVERT)
    message = f"{path} cannot be read as safetensors: it is {foreign.what}."
    return CheckpointError(message, hint=hint or foreign.hint)


def _folder(path: Path) -> CheckpointError:
    kind = hugging_face_kind(path)
    if kind is not None:
        message = f"{path} is a folder of a Hugging Face model of the library transformers ({kind}), not of timm."
        return CheckpointError(message, hint=HUGGING_FACE_HINT)
    found = sorted(file.name for file in path.glob("*.safetensors"))
    hint = f"Give a file in it: {', '.join(found[:3])}." if found else "Give a safetensors file."
    if (path / "config.json").is_file():
        hint += f" A folder that timm saved is named by --model local-dir:{path}."
    return CheckpointError(f"{path} is a folder.", hint=hint)
