"""Pruning modes of a study that does not exist."""

import numpy as np

from vitpanel.study.own_stages import MODES
from vitpanel.study.writer import StudyWriter


def write_modes(writer: StudyWriter, *, seed: int = 0) -> None:
    """Add the modes of all heads to a synthetic study, at random."""
    rng, n_classes = np.random.default_rng([seed, 6]), writer.manifest.spec.n_classes
    for name, array in writer.arrays.items():
        for block in range(writer.n_blocks if array.stage == MODES else 0):
            shape = (len(writer.block_images(block)), *array.shape[1:])
            writer.write_rows(name, block, rng.uniform(0, n_classes, shape).astype(array.dtype))
    writer.finish_stage(MODES, seconds=0.1)
