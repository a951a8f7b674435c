"""The manifest: where a study comes from, how it was made, and how far it is."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

from vitpanel.core.spec import ViTSpec
from vitpanel.errors import StudyError, StudyFormatError
from vitpanel.study.atomic import write_atomically
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest_rules import check_manifest
from vitpanel.study.places import damaged
from vitpanel.study.records import bytes_digest, checked, parse_record, record_bytes
from vitpanel.study.rules import MisfitError, shown
from vitpanel.study.schema import FORMAT_VERSION, array_specs
from vitpanel.study.stage import ArraySpec

_IDENTITY = (
    ("model", "weight_hash"),
    ("model", "spec"),
    ("model", "preprocessing"),
    ("model", "class_names"),
    ("images", "n_images"),
    ("images", "hash"),
)
_SHOWN_LENGTH = 80
_FINGERPRINT = 12  # hexadecimal digits
RESTORE = (
    "Nothing else in a study says what it is of, so that there is no way back: restore the manifest from a copy, or "
    "delete the study and run precompute again."
)
_NO_STUDY = "Give the folder NAME.study that vitpanel precompute wrote."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class Manifest:
    """Provenance of a study; everything in it is ready for JSON.

    Parameters
    ----------
    model
        ``name``, ``source``, ``checkpoint`` (file name only), ``revision``, ``weight_hash``, ``args``, ``in_chans``,
        ``preprocessing``, ``spec`` (of `ViTSpec.to_dict`) and ``class_names``; ``adapter``, the library that it is of;
        ``provenance``, what is known of its weights; ``head``, where a linear head on the model's features comes from,
        empty without one.
    images
        ``root``, ``hash``, ``n_images``; ``skipped``, a list of ``{"file": …, "reason": …}``; ``unmatched``, labels
        that are no class of the model, a list of ``{"label": …, "n_images": …, "reason": …}``; ``remarks``, sentences
        on what else was unusual.
    settings
        What must be equal for a run to be resumed, among it ``block_size``, ``latent_dim`` and ``seed``.
    versions
        Of vitpanel, python and the libraries.
    checks
        Trust checks by name, each as `vitpanel.core.trust.Check.to_dict` gives it.
    stages
        Per stage ``done``, ``seconds``, the names of its ``arrays``, ``detail``, and the digest of its ``receipt``. An
        optional stage stands here, not done, from the moment that it is asked for.
    files
        Digest of every extra file.
    created
        ISO time.
    notes
        Free text.
    format_version
        Version of the format.
    """

    model: dict[str, Any]
    images: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str] = field(default_factory=dict)
    checks: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    created: str = field(default_factory=_now)
    notes: str = ""
    format_version: int = FORMAT_VERSION

    @property
    def spec(self) -> ViTSpec:
        """Shape of the model."""
        return ViTSpec.from_dict(self.model["spec"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the model's classes, empty for a model without a class head."""
        return tuple(self.model.get("class_names") or ())

    @property
    def n_images(self) -> int:
        """Number of images of the whole study."""
        return self.images["n_images"]

    @property
    def block_size(self) -> int:
        """Images of a block."""
        return self.settings["block_size"]

    @property
    def latent_dim(self) -> int:
        """Length of the autoencoder's latent vectors."""
        return self.settings["latent_dim"]

    @property
    def n_blocks(self) -> int:
        """Number of blocks of images."""
        return -(-self.n_images // self.block_size)

    def arrays(self) -> dict[str, ArraySpec]:
        """Arrays that the study can have, by name, in the order of the format; what failed checks turn off is none."""
        return array_specs(self.spec, self.n_images, latent_dim=self.latent_dim, checks=self.checks)

    def block_images(self, block: int) -> range:
        """Return the image ids of a block."""
        return range(block * self.block_size, min((block + 1) * self.block_size, self.n_images))

    def is_done(self, stage: str) -> bool:
        """Whether a stage is complete."""
        return bool(self.stages.get(stage, {}).get("done"))

    def differences(self, other: "Manifest") -> list[str]:
        """Say where another run would give other numbers than this study's, one phrase for each setting."""
        here, there = other.identity(), self.identity()
        keys = [key for key in there | here if there.get(key) != here.get(key)]
        return [f"{key} is {_short(there.get(key))} there and {_short(here.get(key))} here" for key in keys]

    def identity(self) -> dict[str, Any]:
        """Return all that decides about the numbers of a study by dotted name, as JSON gives it back."""
        identity: dict[str, Any] = {f"{part}.{key}": getattr(self, part).get(key) for part, key in _IDENTITY}
        return dict(_flat(json.loads(json.dumps({**identity, "settings": self.settings})), ""))

    @property
    def fingerprint(self) -> str:
        """Short name of what decides about the numbers of a study: equal for studies of equal `identity`."""
        return bytes_digest(json.dumps(self.identity(), sort_keys=True).encode())[:_FINGERPRINT]

    def write(self, path: Path) -> None:
        """Write the manifest of the study at ``path``, atomically."""
        write_atomically(StudyFiles(path).manifest, record_bytes(asdict(self)))

    @staticmethod
    def hint_without(path: Path) -> str:
        """Say that there is no way back of a study that has lost its manifest; empty for any other folder."""
        files = StudyFiles(path)
        if any(part.exists() for part in (files.images, files.arrays, files.receipts)):
            return f"It was a study and has lost its {files.manifest.name}. {RESTORE}"
        return ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the manifest of the study at ``path``.

        Raises
        ------
        StudyFormatError
            If ``path`` is no study, its format is newer than this version of vitpanel, or the manifest is damaged.
        StudyError
            If there is nothing at ``path``.
        """
        file = StudyFiles(path).manifest
        if not path.exists():
            message = f"There is no study at {path}."
            raise StudyError(message, hint="Check the path, or make a study with vitpanel precompute.")
        if not os.path.lexists(file):
            message = f"{path} is not a study: it holds no {file.name}."
            raise StudyFormatError(message, hint=cls.hint_without(path) or _NO_STUDY)
        record = parse_record(path, file, hint=RESTORE)
        _check_version(record.get("format_version"), path, file)
        content = checked(record, file, hint=RESTORE)
        missing = [f.name for f in fields(cls) if f.name not in content]
        if missing:
            raise damaged(file, f"it lacks {', '.join(missing)}", hint=RESTORE)
        try:
            check_manifest(content)
        except MisfitError as error:
            raise damaged(file, str(error), hint=RESTORE) from error
        return cls(**{f.name: content[f.name] for f in fields(cls)})


def _check_version(version: object, path: Path, file: Path) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise damaged(file, f"its format_version is {shown(version)}", hint=RESTORE)
    if version > FORMAT_VERSION:
        message = f"{path} was written in format {version}, this version reads up to {FORMAT_VERSION}."
        raise StudyFormatError(message, hint="Upgrade vitpanel: pip install --upgrade vitpanel.")


def _flat(tree: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(cast("dict[str, Any]", value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"
