"""Reading safetensors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from vitpanel.errors import CheckpointError


@contextmanager
def opened_weights(path: Path, *, hint: str) -> Iterator[Any]:
    """Open a safetensors file.

    Raises
    ------
    CheckpointError
        If there is no such file, or it is none of safetensors; ``hint`` is for the latter.
    """
    if not path.is_file():
        message = f"There is no file {path}."
        raise CheckpointError(message, hint="Check the path.")
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        message = f"{path} cannot be read as safetensors: {error}."
        raise CheckpointError(message, hint=hint) from error
