"""Errors that a user can act on: a message that names the thing and the value, and a hint that gives the way out."""

import re

# The folders of an absolute path: up to the folder of a study where there is one, else up to the last part.
_FOLDERS = re.compile(
    r"""(?<![\w.<:/\\]) (?:[A-Za-z]:)? [/\\] (?:[^/\\\s'"]+[/\\])*?
    (?= [^/\\\s'"]+\.study\b | [^/\\\s'"]+ (?![^\s'"]*[/\\]) )""",
    re.VERBOSE,
)


def public_words(text: str) -> str:
    """Words of an error without the server's folders: what stands in a study begins with its name, else a file's name.

    A browser may belong to somebody who has no business in the folders of whoever serves.

    Examples
    --------
    >>> public_words("/home/me/X.study/arrays.zarr/entropy is damaged.")
    'X.study/arrays.zarr/entropy is damaged.'
    >>> public_words("There is no file /data/models/vit.safetensors.")
    'There is no file vit.safetensors.'
    """
    return _FOLDERS.sub("", text)


class VitpanelError(Exception):
    """Base of all errors that vitpanel raises on purpose.

    Parameters
    ----------
    message
        What failed, with the key, file, shape or value.
    hint
        What to do about it; shown to the user after the message.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownModelError(VitpanelError):
    """No library has a model of this name."""


class UnsupportedModelError(VitpanelError):
    """The model's attention is not token-to-token attention over one grid of patches."""


class CheckpointError(VitpanelError):
    """The checkpoint cannot be read or does not fit the architecture."""


class ImageSourceError(VitpanelError):
    """The folder or table of images cannot be used."""


class BadImageError(VitpanelError):
    """One image cannot be decoded."""


class StudyError(VitpanelError):
    """A study cannot be opened, read or written."""


class StudyFormatError(StudyError):
    """The study has a format that this version does not read."""


class StudyMismatchError(StudyError):
    """The study on disk was made with other settings."""


class StudyLockedError(StudyError):
    """Another run is writing the study."""


class StudyIncompleteError(StudyError):
    """The study does not hold this yet."""


class DiskFullError(StudyError):
    """The disk is full; what was written before stays."""


class ChoiceError(VitpanelError, ValueError):
    """What is to be chosen does not exist."""


class BrushError(VitpanelError):
    """A brush is not one, or does not fit what it is to be laid over."""


class InferenceError(VitpanelError):
    """The live model could not be loaded or run."""


class UnguardedError(VitpanelError):
    """The server's guards are not known to hold for the versions that are installed."""
