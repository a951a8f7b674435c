"""Files of a study are opened here alone: inside of its folder, regular, and of bounded size.

A study may come from a stranger. A link that leads out of it, a pipe that never ends and a file that fills the memory
are damage like any other.
"""

import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

from vitpanel.errors import StudyFormatError

LARGEST_RECORD = 64 * 2**20
LARGEST_FILE = 2 * 2**30
RECOMPUTE = "Run the same precompute command again: it computes what is missing or broken anew."


def damaged(path: Path, reason: str, *, hint: str = RECOMPUTE) -> StudyFormatError:
    """Return the error for a file that is not as it was written."""
    return StudyFormatError(f"{path} is damaged: {reason}.", hint=hint)


def is_inner_name(name: str) -> bool:
    """Whether a name from a manifest stays inside of the study, as text: relative, without ``..``, without a drive."""
    parts = PurePosixPath(name).parts
    windows = PureWindowsPath(name)
    return (
        bool(parts)
        and "\0" not in name
        and ".." not in (*parts, *windows.parts)
        and not (name.startswith("/") or windows.drive or windows.root)
    )


def stray_link(root: Path, path: Path) -> Path | None:
    """The first link on the way from a study's folder to one of its parts that leads out of it, None without one."""
    relative = path.relative_to(root)
    for part in (*reversed(relative.parents), relative):
        place = root / part
        if part.parts and place.is_symlink() and not place.resolve().is_relative_to(root.resolve()):
            return place
    return None


def checked_place(root: Path, path: Path, *, hint: str = RECOMPUTE) -> Path:
    """Return the path of a part of a study that stays inside of it, whether it is there or not.

    Raises
    ------
    StudyFormatError
        If the path, or a link on the way to it, leads out of the study.
    """
    if not path.is_relative_to(root) or not is_inner_name(path.relative_to(root).as_posix()):
        raise damaged(root, f"{path} is not inside of it", hint=hint)
    try:
        link = stray_link(root, path)
    except (OSError, RuntimeError) as error:  # a loop of links
        raise damaged(path, f"it cannot be followed ({error})", hint=hint) from error
    if link is not None:
        raise damaged(link, "it is a link that leads out of the study", hint=hint)
    return path


def checked_file(root: Path, path: Path, *, largest: int | None = None, hint: str = RECOMPUTE) -> Path:
    """Return the path of a study's file that may be opened: a regular file inside of it, or nothing at all.

    Parameters
    ----------
    root
        The folder ``NAME.study``, which may be a link itself.
    largest
        Bytes that the file may have.

    Raises
    ------
    StudyFormatError
        If it leads out of the study, is a folder, a pipe or a device, or is larger.
    """
    checked_place(root, path, hint=hint)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    except OSError as error:
        raise damaged(path, f"it cannot be read ({error.strerror})", hint=hint) from error
    if not stat.S_ISREG(status.st_mode):
        raise damaged(path, "it is not a regular file", hint=hint)
    if largest is not None and status.st_size > largest:
        raise damaged(path, f"it has {status.st_size} bytes, more than {largest}", hint=hint)
    return path


def read_bytes(root: Path, path: Path, *, largest: int = LARGEST_FILE, hint: str = RECOMPUTE) -> bytes | None:
    """Content of a study's file, None where there is none; raises as `checked_file` does."""
    checked_file(root, path, largest=largest, hint=hint)
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise damaged(path, f"it cannot be read ({error.strerror})", hint=hint) from error
