"""Studies of older formats: what is read of them is converted, what is on disk stays as it is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from vitpanel.errors import StudyMismatchError
from vitpanel.study.schema import FORMAT_VERSION

# Format 1 kept what is left of the probability of the class that an image is judged by, where format 2 has the drop.
_LEFT = frozenset({"importance/probability", "modes/probability", "means/sample_probability", "means/estimate"})


def converted(name: str, values: np.ndarray, *, version: int, unpruned: Callable[[], np.ndarray]) -> np.ndarray:
    """Return rows of an array as the current format has them.

    Parameters
    ----------
    name
        Of the array.
    values
        As they were read; not modified. NaN stays NaN.
    version
        Of the format that they are of.
    unpruned
        Gives the probability without pruning for these rows, ``(n,)``; called only where it is needed.

    Returns
    -------
    The type and shape of ``values``. The drop is one subtraction in that type, as a run of the current format computes
    it.
    """
    if version >= FORMAT_VERSION or name not in _LEFT:
        return values
    if name.startswith("modes/"):
        # Mode 0 prunes nothing.
        return values[..., :1] - values
    return unpruned().astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1)) - values


def refuse_older_format(path: Path, version: int) -> None:
    """Refuse to write into a study of an older format.

    Raises
    ------
    StudyMismatchError
        If it is one: what is left of a probability cannot be had from the drop to the last bit, so that the blocks of
        two versions would not be alike.
    """
    if version < FORMAT_VERSION:
        message = f"{path} is of format {version}, and this version of vitpanel writes format {FORMAT_VERSION}."
        hint = (
            "It can be looked at as it is; nothing is written into it. To compute more, choose another --out, or go on "
            "with the version of vitpanel that began it."
        )
        raise StudyMismatchError(message, hint=hint)
