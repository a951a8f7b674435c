"""Where a study is to be written: asked before any work is done for it."""
# pyright: reportMissingTypeStubs=false

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import pandas as pd

from vitpanel.errors import StudyError, StudyLockedError, StudyMismatchError
from vitpanel.study.atomic import write_errors
from vitpanel.study.files import StudyFiles
from vitpanel.study.formats import refuse_older_format
from vitpanel.study.manifest import Manifest
from vitpanel.study.tables import image_differences, read_images


def check_target(path: Path, settings: Mapping[str, Any]) -> None:
    """Check that a study can be written at a path, or gone on with there. Nothing is left behind.

    Parameters
    ----------
    settings
        Of the run, as they stand in the manifest.

    Raises
    ------
    StudyMismatchError
        If a study is there that was begun with other settings, or is of an older format.
    StudyLockedError
        If another run is writing it.
    StudyError
        If something else is there, or nothing can be written there.
    """
    check_folder(path)
    is_there = StudyFiles(path).manifest.exists()
    if is_there:
        found = Manifest.read(path)
        refuse_older_format(path, found.format_version)
        refuse_differences(path, found, replace(found, settings=dict(settings)))
    try:
        with write_errors(path):
            _try_to_write(path)
    except StudyError as error:
        if is_there:
            error.hint = f"To look at the study, vitpanel serve {path} writes nothing. {error.hint}"
        raise
    if is_there:
        locked(path).release()


def check_folder(path: Path) -> None:
    """Check that a path is free or has a study.

    Raises
    ------
    StudyError
        If it is a file, or a folder of other things.
    """
    if path.is_dir():
        if StudyFiles(path).manifest.exists():
            return
        if all(child.name.startswith(".") for child in path.iterdir()):
            return
        # A study that has lost its manifest is said to be one.
        hint = Manifest.hint_without(path)
        message = f"{path} exists and is not a study."
    elif path.exists():
        message, hint = f"{path} exists and is not a folder.", ""
    else:
        return
    raise StudyError(message, hint=hint or "Choose another --out.")


def locked(path: Path) -> filelock.BaseFileLock:
    """Take the lock of a study.

    Raises
    ------
    StudyLockedError
        If another run has it.
    """
    lock = filelock.FileLock(StudyFiles(path).lock, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        message = f"Another run is writing {path}."
        raise StudyLockedError(message, hint="Wait for it to end, or choose another --out.") from error
    return lock


def refuse_differences(path: Path, found: Manifest, wanted: Manifest, *, why: str = "") -> None:
    """Refuse to go on with a study that was begun with something else.

    Parameters
    ----------
    why
        What more is known of the difference, as a sentence.

    Raises
    ------
    StudyMismatchError
        With all that differs, each with both values.
    """
    differences = found.differences(wanted)
    if differences:
        message = f"{path} was begun with something else: {'; '.join(differences)}."
        hint = "Choose another --out, or delete the folder to begin anew."
        raise StudyMismatchError(message, hint=f"{why} {hint}".strip())


def found_manifest(path: Path, wanted: Manifest, images: pd.DataFrame) -> Manifest:
    """Return the manifest of the study at a path, which must be of the same model, images and settings.

    Raises
    ------
    StudyMismatchError
        If it is not, or is of an older format; what is known of other images is said by name.
    """
    found = Manifest.read(path)
    refuse_older_format(path, found.format_version)
    is_same = found.images["hash"] == wanted.images["hash"]
    refuse_differences(path, found, wanted, why="" if is_same else _other_images(path, found, images))
    return found


def _other_images(path: Path, found: Manifest, images: pd.DataFrame) -> str:
    file, n_classes = StudyFiles(path).images, found.spec.n_classes
    try:
        return image_differences(read_images(path, file, n_images=found.n_images, n_classes=n_classes), images)
    except StudyError:
        return ""  # the table that they would be held against is broken


def _try_to_write(path: Path) -> None:
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
