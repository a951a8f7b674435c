"""What a file is that is given in the place of a table of images."""

from pathlib import Path

from vitpanel.models.decoding import is_image

_UNPACK, _SAVE = "Unpack it.", "Save the table as CSV."
_BEGINNINGS = {
    b"PK\x03\x04": ("a ZIP archive", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": ("a RAR archive", _UNPACK),
    b"BZh": ("a bzip2 archive", _UNPACK),
    b"\xfd7zXZ\0": ("an xz archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("a zstd archive", _UNPACK),
    b"PAR1": ("a Parquet file", _SAVE),
    b"ARROW1": ("an Arrow file", _SAVE),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file", ""),
    b"\x93NUMPY": ("a numpy array", ""),
    b"SQLite format 3\0": ("an SQLite database", _SAVE),
    b"%PDF": ("a PDF document", ""),
}
_GZIP, _TAR, _TAR_PLACE = b"\x1f\x8b", b"ustar", 257


def kind_of_file(path: Path) -> tuple[str, str]:
    """What a file is by its content and what to do with it, in words; empty for what may be text, or text in gzip."""
    if not path.is_file():
        return "no regular file", ""
    with path.open("rb") as file:
        start = file.read(_TAR_PLACE + len(_TAR))
    for beginning, words in _BEGINNINGS.items():
        if start.startswith(beginning):
            return words
    if start[_TAR_PLACE:] == _TAR or (start.startswith(_GZIP) and path.name.endswith((".tar.gz", ".tgz"))):
        return "a tar archive", _UNPACK
    return ("a picture", "Give the folder that it is in.") if is_image(path) else ("", "")
