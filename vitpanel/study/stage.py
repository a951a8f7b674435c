"""A stage of precompute as a study knows it, and the arrays that it writes."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitpanel.core.spec import ViTSpec

PER_HEAD = ("image", "layer", "head")


@dataclass(frozen=True)
class ArraySpec:
    """One array of the format.

    Parameters
    ----------
    name
        Path inside ``arrays.zarr``.
    dims
        Name of each axis.
    shape
        Length of each axis.
    dtype
        numpy's name of the type.
    stage
        The stage that computes it; filled in from the stage.
    needs
        What a model must have for it: ``"cls"`` for a CLS token, ``"classes"`` for a class head.
    may_be_nan
        Whether NaN has a meaning: no attention among patches, a mode that a model lacks, an image not sampled.
    is_optional
        Whether a study made by an older version lacks it and is whole nonetheless.
    is_per_block
        Whether rows come block by block, or the array is written in one piece; filled in from the stage.
    is_ragged
        Whether layers have different numbers of heads: then there is NaN, or 0, in the place of those that are not;
        filled in from the model.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str = "float32"
    stage: str = ""
    needs: tuple[str, ...] = ()
    may_be_nan: bool = False
    is_optional: bool = False
    is_per_block: bool = True
    is_ragged: bool = False

    def chunks(self, block_size: int) -> tuple[int, ...]:
        """Shape of one file: a block's rows, or everything."""
        rows = min(block_size, self.shape[0]) if self.is_per_block else self.shape[0]
        return (rows, *self.shape[1:])

    def chunk_bytes(self, block_size: int) -> int:
        """Bytes of one file before it is packed."""
        return math.prod(self.chunks(block_size)) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Sizes:
    """What decides about the shapes of a study's arrays.

    Parameters
    ----------
    spec
        Shape of the model.
    n_images
        Of the whole study.
    latent_dim
        Length of the autoencoder's latents.
    """

    spec: ViTSpec
    n_images: int
    latent_dim: int

    def per_image(self, name: str, more: Mapping[str, int] | None = None, **facts: Any) -> ArraySpec:
        """Array with a row for each image.

        Parameters
        ----------
        more
            Length of each further axis by its name.
        facts
            Further fields of `ArraySpec`.
        """
        more = more or {}
        return ArraySpec(name, ("image", *more), (self.n_images, *more.values()), **facts)

    def per_head(self, name: str, more: Mapping[str, int] | None = None, **facts: Any) -> ArraySpec:
        """Array with a value, or further axes, for each head of each image; parameters as `per_image` has them."""
        heads = {"layer": self.spec.n_layers, "head": self.spec.n_heads}
        return self.per_image(name, {**heads, **(more or {})}, **facts)


@dataclass(frozen=True)
class Stage:
    """One step of precompute: what it writes, and after what.

    This is all that a reader of studies needs, which knows neither torch nor models; so it lives with the study. How a
    stage is computed is known to `vitpanel.pipeline.stages` for those that come with vitpanel, which are too heavy to
    import here, and stands in ``run`` for a stage of others, so that it is one record in one file.

    Parameters
    ----------
    name
        In the manifest and in messages: small letters, digits and ``_``.
    arrays
        Gives the arrays that it writes for a model and a number of images. Those of a stage of others are called as it
        is, or ``NAME/…``.
    needs
        Stages that must be complete before.
    after
        Stages that come before where they are computed too, and without which it can do.
    per_block
        Whether its arrays come block by block of images, or each in one piece.
    is_optional
        Whether a study may lack it and is whole nonetheless.
    absence
        What it means that a study lacks it, as a sentence; else it is said how to add it.
    title
        What it computes, in a few words without an article: a run says so of its progress, and a study that is not
        finished of what it lacks; else the stage's name is said.
    files
        Extra files that it writes beside its arrays.
    run
        Computes it; imports what is heavy when it is called, since the record is loaded by readers too. With
        ``per_block`` it is given a `vitpanel.pipeline.work.Block` and returns the rows of that block by the name of
        the array; without, it is given the `vitpanel.pipeline.work.Work` and returns whole arrays.
    """

    name: str
    arrays: Callable[[Sizes], Iterable[ArraySpec]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    per_block: bool = True
    is_optional: bool = True
    absence: str = ""
    title: str = ""
    files: tuple[str, ...] = ()
    run: Callable[[Any], Mapping[str, Any]] | None = None
