"""A stage of others, whole: how much each patch looks at itself, and the largest attention of CLS."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from vitpanel.study.stage import ArraySpec, Sizes, Stage


def arrays(sizes: Sizes) -> Iterator[ArraySpec]:
    """One number for each head, and one for each that only a model with CLS has."""
    yield sizes.per_head("gaze/self")
    yield sizes.per_head("gaze/cls", needs=("cls",))


def run(block: Any) -> dict[str, np.ndarray]:
    """From what the heads stage has written, and from A itself."""
    first = [np.stack([weights[:, 0].max(-1) for weights in layers]) for layers in block.attention()]
    return {"gaze/self": block["strength"][..., 0], "gaze/cls": np.stack(first)}


GAZE = Stage("gaze", arrays, needs=("heads",), run=run)
