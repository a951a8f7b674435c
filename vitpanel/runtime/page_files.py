"""Files that all pages share and that the program makes itself, under the hash of what is in them.

They lie among the files of Panel's components, which every server of Panel serves, at any prefix.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import panel as pn

FOLDER = "vitpanel/page"  # below the files of components
_files: dict[str, "PageFile"] = {}


@dataclass
class PageFile:
    """One file, made when it is first asked for.

    Parameters
    ----------
    name
        With its ending.
    kind
        Media type.
    make
        Gives the text.
    """

    name: str
    kind: str
    make: Callable[[], str]

    def __post_init__(self) -> None:
        _files[self.name] = self

    @cached_property
    def content(self) -> bytes:
        """The text in UTF-8."""
        return self.make().encode()

    @cached_property
    def version(self) -> str:
        """Hash of the content."""
        return sha256(self.content).hexdigest()[:16]

    @property
    def address(self) -> str:
        """Where the page whose session is being made finds the file."""
        up = f"{pn.state.rel_path}/" if pn.state.rel_path else ""
        return f"{up}components/{FOLDER}/{self.name}?v={self.version}"


def page_file(path: str) -> PageFile | None:
    """File at a path below those of components; None if there is none."""
    folder, _, name = path.rpartition("/")
    return _files.get(name) if folder == FOLDER else None
