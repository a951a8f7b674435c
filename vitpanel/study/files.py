"""Where things are in a study: the one place that knows paths."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StudyFiles:
    """Paths of a study's parts.

    Parameters
    ----------
    root
        The folder ``NAME.study``.
    """

    root: Path

    @property
    def manifest(self) -> Path:
        """Provenance, settings and which stages are done."""
        return self.root / "manifest.json"

    @property
    def images(self) -> Path:
        """Table of all images."""
        return self.root / "images.parquet"

    @property
    def arrays(self) -> Path:
        """The zarr store."""
        return self.root / "arrays.zarr"

    @property
    def autoencoder(self) -> Path:
        """Weights of the autoencoder of the attention patterns."""
        return self.root / "autoencoder.safetensors"

    @property
    def head(self) -> Path:
        """The linear head that stands on the model's features, where there is one."""
        return self.root / "head.safetensors"

    @property
    def receipts(self) -> Path:
        """Folder of the receipts."""
        return self.root / "blocks"

    @property
    def progress(self) -> Path:
        """What the run that writes is at; gone when it ends."""
        return self.root / ".progress.json"

    @property
    def lock(self) -> Path:
        """Held by the run that writes."""
        return self.root / ".lock"

    def receipt(self, block: int) -> Path:
        """Written last: says that a block is on disk whole."""
        return self.receipts / f"{block:06d}.json"

    def stage_receipt(self, stage: str) -> Path:
        """Written when a stage is complete: what each of its files holds."""
        return self.receipts / f"{stage}.json"

    def crops(self, block: int) -> Path:
        """Crops and thumbnails of a block."""
        return self.root / "crops" / f"{block:06d}.parquet"

    def array(self, name: str) -> Path:
        """Folder of one array."""
        return self.arrays / name

    def metadata(self, name: str) -> Path:
        """Shape, type and codecs of one array."""
        return self.array(name) / "zarr.json"

    def chunk(self, name: str, block: int, n_dims: int) -> Path:
        """File that holds a block's rows of an array."""
        return self.array(name).joinpath("c", str(block), *["0"] * (n_dims - 1))
