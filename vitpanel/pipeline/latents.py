"""The latents stage: an autoencoder of the binarised A_patch, and its code of every head (section 5.4.1)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vitpanel.core.patterns import pooled_side
from vitpanel.models.autoencoder import (
    Autoencoder,
    autoencoder_bytes,
    autoencoder_from_bytes,
    encode_patterns,
    n_seen_at_most,
    train_autoencoder,
)
from vitpanel.pipeline.sampling import sampled_heads
from vitpanel.pipeline.step import BlockStep
from vitpanel.pipeline.work import Block, Work
from vitpanel.study.own_stages import LATENTS
from vitpanel.study.reader import extra_file
from vitpanel.study.records import bytes_digest
from vitpanel.study.stage import Stage
from vitpanel.study.stages import stages_that_need

MAX_TRAINING = 200_000
TRAINING = "learning to code attention patterns"
_PATTERNS = "patterns/patch_top"


class LatentsStep(BlockStep):
    """Train the autoencoder on a sample of the binarised matrices, then encode all."""

    autoencoder: Autoencoder
    """There once `begin` has run."""

    def __init__(self, stage: Stage, work: Work) -> None:
        super().__init__(stage, work)
        self.detail: dict[str, Any] | None = None

    def begin(self) -> list[int]:
        """Train where no autoencoder is there; return the blocks that it has not encoded."""
        pending, kept, writer = super().begin(), self._kept(), self.writer
        if kept is not None:
            self.autoencoder = kept
            return pending
        self.autoencoder, self.detail = self._trained()
        data, name = autoencoder_bytes(self.autoencoder), writer.files.autoencoder.name
        if not writer.manifest.is_done(LATENTS) or bytes_digest(data) != writer.manifest.files.get(name):
            # All latents are of another autoencoder now, and so is what is made of them.
            pending = list(range(writer.n_blocks))
            writer.reopen(LATENTS)
            for later in stages_that_need(LATENTS):
                writer.discard(later)
        writer.write_file(name, data)
        return pending

    def compute(self, block: Block) -> Mapping[str, np.ndarray]:
        """Encode the patterns; NaN where no head is."""
        latents = encode_patterns(self.autoencoder, block[_PATTERNS])
        latents[:, ~self.work.model.spec.is_there] = np.nan
        block.advance(len(block))
        return {"latents": latents}

    def end(self, n_before: int) -> dict[str, Any] | None:
        """Say how well the autoencoder was trained, where it was."""
        del n_before
        return self.detail

    def _kept(self) -> Autoencoder | None:
        """The autoencoder of a stage that was complete, so that lost rows alone are encoded anew."""
        writer, model = self.writer, self.work.model
        manifest, file = writer.manifest, writer.files.autoencoder
        if not manifest.is_done(LATENTS) or not file.exists():
            return None
        data, side = extra_file(writer.path, manifest, file.name), pooled_side(model.spec.grid)
        return autoencoder_from_bytes(data, side, latent_dim=manifest.latent_dim, device=model.device)

    def _trained(self) -> tuple[Autoencoder, dict[str, Any]]:
        settings, model = self.writer.manifest.settings, self.work.model
        side = pooled_side(model.spec.grid)
        sample = sampled_heads(self.work.study, _PATTERNS, n_most=MAX_TRAINING, seed=settings["seed"])
        with self.work.progress.bar(TRAINING, total=n_seen_at_most(len(sample)), unit="pattern") as bar:
            autoencoder, training = train_autoencoder(
                sample,
                side,
                latent_dim=settings["latent_dim"],
                seed=settings["seed"],
                device=model.device,
                on_batch=bar.update,
            )
            bar.end_early()
        return autoencoder, training.to_dict() | {"binarised_on": list(side)}
