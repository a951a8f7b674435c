"""How far a study is: which blocks of images are on disk, and what each stage has written."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import HEADS, STAGES
from vitpanel.study.receipts import Receipt
from vitpanel.study.stage import ArraySpec
from vitpanel.study.stages import absence_words, is_optional, lacking_words


@dataclass(frozen=True)
class Coverage:
    """How far a study is.

    Parameters
    ----------
    manifest
        Of the study.
    receipts
        Those of the blocks that are on disk.
    """

    manifest: Manifest
    receipts: Mapping[int, Receipt]

    @property
    def done_images(self) -> np.ndarray:
        """Whether each image's block is on disk, bool ``(n_images,)``."""
        done = np.zeros(self.manifest.n_images, bool)
        for block in self.receipts:
            images = self.manifest.block_images(block)
            done[images.start : images.stop] = True
        return done

    @property
    def has_all_blocks(self) -> bool:
        """Whether every image's block is on disk."""
        return len(self.receipts) == self.manifest.n_blocks

    @property
    def is_finished(self) -> bool:
        """Whether every stage is complete."""
        stages = (*STAGES, *self.manifest.stages)
        return self.has_all_blocks and all(self.manifest.is_done(stage) for stage in stages)

    def is_wanted(self, stage: str) -> bool:
        """Whether a stage belongs to the finished study; an optional one does when it was computed."""
        return not is_optional(stage) or self.manifest.is_done(stage)

    def blocks_with(self, spec: ArraySpec) -> list[int]:
        """Blocks whose rows of an array that comes in blocks are on disk."""
        if spec.stage != HEADS:
            return list(range(self.manifest.n_blocks))
        return [block for block, has in self.receipts.items() if not spec.is_optional or spec.name in has.arrays]

    def reason(self, spec: ArraySpec) -> str:
        """Why an array that the model can have is not computed, in words for people; empty if it is."""
        is_done = bool(self.receipts) if spec.stage == HEADS else self._is_there(spec)
        if not self.is_wanted(spec.stage) and spec.stage not in self.manifest.stages:
            return absence_words(spec.stage)
        if not is_done:
            return lacking_words(spec.stage)
        if spec.is_optional and not self._was_written(spec):
            return f"The study was made before there was {spec.name}: run the same precompute command again to add it."
        # Integers have no NaN that could stand for the rows that are missing.
        if spec.stage == HEADS and np.dtype(spec.dtype).kind != "f" and not self.has_all_blocks:
            n_done = int(self.done_images.sum())
            return f"The study is not finished: {n_done} of {self.manifest.n_images} images are done."
        return ""

    def _is_there(self, spec: ArraySpec) -> bool:
        """Whether the stage is complete; of one whose arrays come whole, whether this one has come."""
        if self.manifest.is_done(spec.stage):
            return True
        record = self.manifest.stages.get(spec.stage, {})
        return not spec.is_per_block and spec.name in record.get("arrays", ())

    def _was_written(self, spec: ArraySpec) -> bool:
        if spec.stage == HEADS:
            return bool(self.blocks_with(spec))
        return spec.name in self.manifest.stages[spec.stage].get("arrays", ())
