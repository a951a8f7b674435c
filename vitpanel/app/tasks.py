"""Sheets of tasks: experiments to try on a study, as Markdown that a teacher can replace."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML

from vitpanel.errors import VitpanelError

MOST_BYTES = 1_000_000
# Out of the page to a site, or to a page of the same server by what is chosen there.
_ADDRESS = re.compile(r"(?:https?://|mailto:|\?)", re.IGNORECASE)
_TITLE = re.compile(r"^# +(.+?) *#*$", re.MULTILINE)
_HINT = "Give a text in Markdown, with a heading of the second level for each task: --tasks FILE.md"


@dataclass(frozen=True)
class TaskSheet:
    """What is to be tried.

    Parameters
    ----------
    title
        The first heading; ticks are kept by it.
    html
        All of it. Each heading of the second level is a task.
    """

    title: str
    html: str

    @classmethod
    def from_markdown(cls, text: str) -> "TaskSheet":
        """Sheet of a text, of which HTML is shown as it is written, and pictures as links."""
        found = _TITLE.search(text)
        return cls(found[1] if found else "Tasks", _renderer().render(text))


def read_tasks(path: Path | None = None) -> TaskSheet:
    """Sheet in a file; without one, the sheet that comes with vitpanel.

    Raises
    ------
    VitpanelError
        If the file cannot be read, is larger than 1 MB, is no UTF-8 text, or has no task in it.
    """
    if path is None:
        return _own_sheet()
    sheet = TaskSheet.from_markdown(_text(path))
    if "<h2>" not in sheet.html:  # what is written as HTML is escaped there
        message = f"The task sheet {path} has no task: no heading of the second level, such as ## Find the head."
        raise VitpanelError(message, hint=_HINT)
    return sheet


@lru_cache(maxsize=1)
def _own_sheet() -> TaskSheet:
    return TaskSheet.from_markdown(files("vitpanel.app").joinpath("tasks.md").read_text(encoding="utf-8"))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        message = f"The task sheet {path} cannot be read: {error.strerror}."
        raise VitpanelError(message, hint=_HINT) from error
    if len(data) > MOST_BYTES:
        message = f"The task sheet {path} has more than 1 MB."
        raise VitpanelError(message, hint=f"Is it another file? {_HINT}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"The task sheet {path} is no UTF-8 text: byte {error.start} is 0x{data[error.start]:02x}."
        raise VitpanelError(message, hint="Save it as UTF-8 in your editor.") from error
    if not text.strip() or "\0" in text:
        message = f"The task sheet {path} {'is no text' if text.strip() else 'is empty'}."
        raise VitpanelError(message, hint=_HINT)
    return text


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    # A picture would be fetched from elsewhere, which tells others who reads the sheet.
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    renderer.validateLink = lambda url: _ADDRESS.match(url) is not None
    renderer.add_render_rule("link_open", _open_link)
    return renderer


def _open_link(renderer: RendererHTML, tokens: Sequence[Any], at: int, options: Any, env: Any) -> str:
    """Let a link open a tab of its own: what is on the page stays."""
    tokens[at].attrSet("target", "_blank")
    tokens[at].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, at, options, env)
