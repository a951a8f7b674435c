"""Read a study whole: every file that its manifest and receipts promise, against every checksum there is."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from vitpanel.errors import StudyError
from vitpanel.study.arrays import ChunkReader, checked_chunk, open_array
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import HEADS, STAGES
from vitpanel.study.places import LARGEST_FILE, RECOMPUTE, checked_file, damaged, stray_link
from vitpanel.study.receipts import Receipt, block_receipt, stage_receipt
from vitpanel.study.records import check_spelling, file_digest
from vitpanel.study.stage import ArraySpec
from vitpanel.study.stages import INSTALL, is_optional, unknown_stages
from vitpanel.study.tables import read_crops, read_images


@dataclass(frozen=True)
class Damage:
    """One file that is not as it was written, or not there.

    Parameters
    ----------
    path
        The file, or the link on the way to it that leads out of the study.
    error
        What is wrong with it and the way out.
    """

    path: Path
    error: StudyError


@dataclass(frozen=True)
class Verification:
    """What a reading of a whole study found.

    Parameters
    ----------
    is_finished
        Whether the manifest says that all stages are complete.
    n_files, n_bytes
        Of all files that were read.
    damages
        One a file, in the order of the format.
    n_unsealed
        Files of which an older version has kept no digest, so that bytes without meaning (of metadata, for instance)
        are not looked at. Those of a stage that is not finished have none yet, and those of a damaged receipt have lost
        it: neither are counted.
    """

    is_finished: bool
    n_files: int
    n_bytes: int
    damages: tuple[Damage, ...]
    n_unsealed: int


@dataclass(frozen=True)
class Part:
    """A file that a study promises.

    Parameters
    ----------
    digest
        SHA-256 of the whole file; None where there is none.
    read
        Reads it, and raises `StudyError` if its content is not what its place asks for.
    is_of_old
        Whether there is none because the study was made before receipts had them.
    hint
        The way out where it is missing or does not fit its digest.
    """

    path: Path
    read: Callable[[], object]
    digest: str | None = None
    is_of_old: bool = False
    hint: str = RECOMPUTE


def verify_study(path: Path, *, on_file: Callable[[int], object] = lambda _: None) -> Verification:
    """Read all of a study and collect what is damaged or missing.

    Parameters
    ----------
    on_file
        Hears the number of files read since it was last called.

    Raises
    ------
    StudyError
        If the manifest is missing or damaged: then nothing else can be told from anything.
    """
    files, manifest = StudyFiles(path), Manifest.read(path)
    found: dict[Path, Damage] = {}
    n_files, n_bytes, n_unsealed = 0, 0, 0
    spelling = Part(files.manifest, lambda: check_spelling(path, files.manifest))
    for part in chain([spelling], Parts(files, manifest)):
        damage = _damage(files.root, part)
        if damage is not None:
            found.setdefault(damage.path, damage)
        else:
            n_files, n_bytes = n_files + 1, n_bytes + part.path.stat().st_size
            n_unsealed += part.is_of_old
        on_file(1)
    is_finished = all(manifest.is_done(stage) for stage in (*STAGES, *manifest.stages))
    return Verification(is_finished, n_files, n_bytes, tuple(found.values()), n_unsealed)


def missing_files(path: Path, manifest: Manifest) -> list[Path]:
    """Files that a study promises and that are not there; their content is not looked at."""
    return [part.path for part in Parts(StudyFiles(path), manifest) if not part.path.exists()]


class Parts:
    """All files that a study promises, and those of later stages that are there already; iterable.

    Parameters
    ----------
    files, manifest
        Of the study. What a damaged receipt promised is looked at as far as its own checksums go.
    """

    def __init__(self, files: StudyFiles, manifest: Manifest) -> None:
        self.files = files
        self.manifest = manifest
        self.arrays = manifest.arrays()
        self._readers: dict[str, ChunkReader] = {}

    def __iter__(self) -> Iterator[Part]:
        """Go through the files in the order of the format; receipts are read on the way."""
        heads = self._stage_receipt(HEADS)
        yield self._sealed(self.files.images, self._read_images, heads)
        if not self._has_its_size():
            return
        for block in range(self.manifest.n_blocks):
            yield from self._block(block)
        for stage in dict.fromkeys(spec.stage for spec in self.arrays.values()):
            receipt = self._stage_receipt(stage)
            if self._promises_receipt(stage):
                yield self._stage_receipt_part(stage)
            yield from self._metadata(stage, receipt)
            if stage != HEADS:
                yield from self._chunks(stage, receipt)
        for stage in unknown_stages(self.manifest.stages):
            yield from self._unknown(stage)
        for name, digest in self.manifest.files.items():
            yield Part(self.files.root / name, partial(self._check_size, self.files.root / name), digest)

    def _has_its_size(self) -> bool:
        """Whether the table of images or an array bears out the manifest's number of images.

        Otherwise the manifest may promise a billion files, and the table is damage enough.
        """
        attempts = [self._read_images, *(lambda spec=spec: self._open(spec) for spec in self.arrays.values())]
        for attempt in attempts:
            with suppress(StudyError):
                attempt()
                return True
        return False

    def _block(self, block: int) -> Iterator[Part]:
        path, images = self.files.receipt(block), self.manifest.block_images(block)
        if not self.manifest.is_done(HEADS) and not path.exists():
            return
        yield Part(path, lambda: self._read_block_receipt(block))
        try:
            receipt = block_receipt(self.files, block, images)
        except StudyError:
            receipt = Receipt(frozenset(self._written(HEADS)), files={})
        n_pixels = math.prod(self.manifest.spec.image_size)

        def read_pictures() -> None:
            for column in ("crop", "thumbnail"):
                read_crops(self.files.root, self.files.crops(block), column, images=images, n_pixels=n_pixels)

        yield self._sealed(self.files.crops(block), read_pictures, receipt)
        for name, spec in self.arrays.items():
            if spec.stage == HEADS and (name in receipt.arrays or not spec.is_optional):
                yield self._chunk(spec, block, receipt)

    def _metadata(self, stage: str, receipt: Receipt) -> Iterator[Part]:
        written = self._written(stage)
        for name, spec in self.arrays.items():
            path = self.files.metadata(name)
            if spec.stage == stage and (name in written or path.exists()):
                yield self._sealed(path, lambda spec=spec: self._open(spec), receipt)

    def _chunks(self, stage: str, receipt: Receipt) -> Iterator[Part]:
        """Chunks of a stage after heads: all of one that is done, those that are there of one that is not."""
        written = self._written(stage) if self.manifest.is_done(stage) else ()
        for name, spec in self.arrays.items():
            if spec.stage != stage:
                continue
            for block in range(self.manifest.n_blocks if spec.is_per_block else 1):
                if name in written or self.files.chunk(name, block, len(spec.shape)).exists():
                    yield self._chunk(spec, block, receipt)

    def _unknown(self, stage: str) -> Iterator[Part]:
        """What a stage that is not known here has written: its receipt, and the files named there."""
        if not self._promises_receipt(stage):
            return
        yield replace(self._stage_receipt_part(stage), hint=INSTALL)
        for name, digest in (self._stage_receipt(stage).files or {}).items():
            path = self.files.root / name
            yield Part(path, partial(self._check_size, path), digest, hint=INSTALL)

    def _chunk(self, spec: ArraySpec, block: int, receipt: Receipt) -> Part:
        def read() -> None:
            path = checked_chunk(self.files, spec, block, self.manifest.block_size)
            if spec.name not in self._readers:
                self._readers[spec.name] = ChunkReader(spec, self.manifest.block_size)
            self._readers[spec.name].check(path, block)

        return self._sealed(self.files.chunk(spec.name, block, len(spec.shape)), read, receipt)

    def _sealed(self, path: Path, read: Callable[[], object], receipt: Receipt) -> Part:
        name = path.relative_to(self.files.root).as_posix()
        return Part(path, read, (receipt.files or {}).get(name), is_of_old=receipt.files is None)

    def _written(self, stage: str) -> tuple[str, ...]:
        """Arrays that a stage has written, or has to write to be done."""
        record = self.manifest.stages.get(stage)
        if record is not None and "arrays" in record and record["done"]:
            return tuple(name for name in record["arrays"] if name in self.arrays)
        if is_optional(stage):
            return ()
        return tuple(name for name, spec in self.arrays.items() if spec.stage == stage and not spec.is_optional)

    def _promises_receipt(self, stage: str) -> bool:
        return "receipt" in self.manifest.stages.get(stage, {})

    def _stage_receipt(self, stage: str) -> Receipt:
        """What the receipt of a stage says: of one that is damaged or not written yet nothing, of an old study None."""
        if not self._promises_receipt(stage):
            return Receipt(files=None if self.manifest.is_done(stage) else {})
        try:
            return stage_receipt(self.files, stage)
        except StudyError:
            return Receipt(files={})

    def _stage_receipt_part(self, stage: str) -> Part:
        digest = self.manifest.stages[stage]["receipt"]
        return Part(self.files.stage_receipt(stage), lambda: stage_receipt(self.files, stage), digest)

    def _check_size(self, path: Path) -> None:
        checked_file(self.files.root, path, largest=LARGEST_FILE)

    def _read_block_receipt(self, block: int) -> None:
        block_receipt(self.files, block, self.manifest.block_images(block))
        check_spelling(self.files.root, self.files.receipt(block))

    def _read_images(self) -> None:
        manifest = self.manifest
        read_images(self.files.root, self.files.images, n_images=manifest.n_images, n_classes=manifest.spec.n_classes)

    def _open(self, spec: ArraySpec) -> object:
        return open_array(self.files, spec, block_size=self.manifest.block_size)


def _damage(root: Path, part: Part) -> Damage | None:
    try:
        checked_file(root, part.path)
        if not part.path.exists():
            raise damaged(part.path, "it is missing", hint=part.hint)
        part.read()
        if part.digest is not None and file_digest(part.path) != part.digest:
            raise damaged(part.path, "it does not fit its checksum", hint=part.hint)
    except StudyError as error:
        return Damage(_culprit(root, part.path), error)
    except OSError as error:
        return Damage(part.path, damaged(part.path, f"it cannot be read ({error.strerror})"))
    return None


def _culprit(root: Path, path: Path) -> Path:
    """The link out of the study on the way to a file, else the file itself."""
    try:
        return stray_link(root, path) or path
    except (OSError, RuntimeError):
        return path
