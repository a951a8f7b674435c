"""What every adapter asks of ``model`` of a study's manifest: text that may be a stranger's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from vitpanel.errors import VitpanelError
from vitpanel.models.weights_file import n_values

# Of one layer on one image; 4,096 tokens with 16 heads take half of it.
MOST_ATTENTION_BYTES = 2 * 2**30
HINT = "Open the study on its own with `vitpanel serve --no-live`, or compute it again."
_LARGER = 4
_ROOM = 100_000_000


def names_of(record: Mapping[str, Any]) -> list[str] | None:
    """Names of the classes of the model's own; None where there are none, or a linear head brings others."""
    names = record.get("class_names")
    if not names or not isinstance(names, list) or record.get("head"):
        return None
    return [str(name) for name in names]


def check_size(outline: nn.Module, weights: Path, *, n_heads: int, n_tokens: int) -> None:
    """Refuse a model that is much larger than the weights that are there, or whose attention fits nowhere.

    Parameters
    ----------
    outline
        The model with tensors that take no memory.

    Raises
    ------
    VitpanelError
        With both sizes.
    """
    wanted, there = sum(value.numel() for value in outline.state_dict().values()), n_values(weights)
    if wanted > _LARGER * there + _ROOM:
        message = f"The study's model would have {wanted:,} parameters, but {weights} holds {there:,} numbers."
        raise VitpanelError(message, hint=HINT)
    n_bytes = 4 * n_heads * n_tokens**2
    if n_bytes > MOST_ATTENTION_BYTES:
        message = f"Attention of one layer of the study's model would take {n_bytes / 2**30:,.0f} GiB."
        raise VitpanelError(message, hint=HINT)
