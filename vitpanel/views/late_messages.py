"""Messages to a browser that Panel keeps back while another one is being written."""

from importlib.metadata import version
from typing import Any

from bokeh.document import Document
from packaging.specifiers import SpecifierSet
from panel.io import document as sending

# The versions whose inside was read.
KNOWN = SpecifierSet(">=1.9.4,<1.10")


def send_what_is_kept_back() -> None:
    """Let Panel send what it keeps back while a message is being written.

    It says that nothing is kept back any more when it has written what was, also if something has come meanwhile, and
    that is then sent with the next change of the page, whenever that comes (`_dispatch_msgs` in
    https://github.com/holoviz/panel/blob/v1.9.4/panel/io/document.py). Does nothing where that is not as it was.
    """
    if version("panel") in KNOWN:
        sending._dispatch_msgs = send  # noqa: SLF001


async def send(document: Document) -> None:
    """Write what is kept back for a document, and what has come meanwhile."""
    await _panels_own(document)
    if document in sending._WRITE_MSGS and document not in sending._WRITE_BLOCK:  # noqa: SLF001
        sending._WRITE_BLOCK[document] = True  # noqa: SLF001
        await send(document)


_panels_own: Any = getattr(sending, "_dispatch_msgs", None)
