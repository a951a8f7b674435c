"""What a stage is computed with: the work of a whole stage, and a block of images of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from vitpanel.models.ablation import Ablation, create_ablation
from vitpanel.models.images import decode_crop
from vitpanel.models.model import ViTModel
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.recipe import Recipe
from vitpanel.pipeline.source import ImageSource
from vitpanel.study.reader import Study, open_study
from vitpanel.study.writer import StudyWriter


@dataclass(frozen=True)
class Work:
    """What one stage is computed with.

    Parameters
    ----------
    writer
        Of the study.
    source
        Reads the files of ``images``.
    images
        The table of all images, with their labels.
    """

    writer: StudyWriter
    model: ViTModel
    source: ImageSource
    images: pd.DataFrame
    recipe: Recipe
    progress: Progress

    @cached_property
    def study(self) -> Study:
        """The study as it is on disk when the stage begins."""
        return open_study(self.writer.path)

    def ablation(self) -> Ablation[Any]:
        """A new engine, which gives attention too."""
        return create_ablation(self.model, batch_size=self.recipe.batch_size, precision=self.recipe.precision)

    def n_done(self, pending: Iterable[int]) -> int:
        """Number of images that are not in the blocks that are pending."""
        return len(self.images) - sum(len(self.writer.block_images(block)) for block in pending)


@dataclass(frozen=True)
class Block:
    """Images that are computed and written together.

    Parameters
    ----------
    number
        Of the block.
    advance
        Hears how many more images are done.
    """

    work: Work
    number: int
    advance: Callable[[int], object]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.rows)

    def __getitem__(self, name: str) -> np.ndarray:
        """Rows of an array that an earlier stage has written; raises as `vitpanel.study.reader.Study.block` does."""
        return self.work.study.block(name, self.number)

    @property
    def rows(self) -> range:
        """Ids of the images."""
        return self.work.writer.block_images(self.number)

    @cached_property
    def images(self) -> pd.DataFrame:
        """Rows of the table of images."""
        return self.work.images.iloc[self.rows.start : self.rows.stop]

    @cached_property
    def crops(self) -> list[Image.Image]:
        """What the model saw of each image, from the study; there once the heads stage is done."""
        return [decode_crop(self.work.study.crop(row)) for row in self.rows]

    @cached_property
    def source_crops(self) -> list[Image.Image]:
        """What the model sees of each image, from the images' files."""
        crop, source = self.work.model.preprocessing.crop, self.work.source
        return [crop(source.read(file)) for file in self.images["file"]]

    def attention(self) -> Iterator[list[np.ndarray]]:
        """A of one image after the other: for each layer ``(n_heads, n_tokens, n_tokens)``, float32.

        Costs a forward an image, without pruning.
        """
        ablation, preprocessing = self.work.ablation(), self.work.model.preprocessing
        for crop in self.crops:
            layers: list[np.ndarray] = []
            ablation.unpruned(
                preprocessing.tensor([crop]), lambda _layer, weights, into=layers: into.append(_of_one_image(weights))
            )
            yield layers


def _of_one_image(weights: Any) -> np.ndarray:
    return weights[0].float().cpu().numpy().copy()
