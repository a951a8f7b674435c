"""What is mended of Panel, Tornado and the comms of notebooks, each where it is as it was when it was read.

What is longer stands in modules of its own, ``early_messages.py`` and ``outputs.py``. What is mended in the browser
stands in ``views/js/patches.js``, and for a notebook's cell in ``app/js/in_cell.js``. The guards of the server, which
are no patches of what is broken, are in other modules of this package.
"""

import threading
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import holoviews.plotting.bokeh  # noqa: F401 - has the renderer
import panel as pn
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, UIElement
from holoviews import Store
from packaging.specifiers import SpecifierSet
from panel.io import document as sending
from panel.io.notebook import replace_inline_css
from pyviz_comms import Comm
from tornado import netutil

from vitpanel.runtime import defaults, early_messages, outputs
from vitpanel.runtime.kernel import kernel_loop, kernel_shell

# The versions whose inside was read; tests/runtime says for each patch whether it is still needed.
KNOWN = {
    "bokeh": ">=3.9.2,<3.10",
    "panel": ">=1.9.4,<1.10",
    "pyviz_comms": ">=3.0.6,<3.1",
    "tornado": ">=6.6,<6.7",
}
_comm: Any = Comm
_handle: Any = _comm._handle_msg  # noqa: SLF001
_send: Any = getattr(sending, "_dispatch_msgs", None)


@lru_cache(maxsize=1)
def apply() -> None:
    """Apply all that hold for what is installed, once in a process."""
    if is_known("bokeh"):
        defaults.apply()
    if is_known("panel"):
        sending._dispatch_msgs = send_what_is_kept_back  # noqa: SLF001
        # Panel's own modules are told of what is to be shown in this way; there is no other.
        pn.viewable.Viewable._preprocessing_hooks.append(carry_styles)  # noqa: SLF001
    if is_known("pyviz_comms"):
        _comm._handle_msg = handle_in_turn  # noqa: SLF001
    shell = kernel_shell()
    if shell is not None:
        early_messages.apply(shell.kernel)
    if shell is not None and is_known("panel"):
        outputs.apply(shell)


def share_connections() -> None:
    """Let processes that answer on one port take one connection at a time, so that each gets some of those that wait.

    Tornado takes all that wait, up to 128, whenever it looks (`add_accept_handler` in
    https://github.com/tornadoweb/tornado/blob/v6.6.1/tornado/netutil.py): when a class comes at once, one process then
    builds all pages while the others stand idle.
    """
    if is_known("tornado"):
        netutil._DEFAULT_BACKLOG = 1  # noqa: SLF001 - read when connections are taken; sockets listen already with 128


def is_known(package: str) -> bool:
    """Whether the inside of the version of a package that is there was read."""
    return SpecifierSet(KNOWN[package]).contains(version(package), prereleases=True)


async def send_what_is_kept_back(document: Document) -> None:
    """Send a browser what Panel keeps back while another message is being written, and what has come meanwhile.

    Panel says that nothing is kept back any more when it has written what was, also if something has come meanwhile,
    and that is then sent with the next change of the page, whenever that comes (`_dispatch_msgs` in
    https://github.com/holoviz/panel/blob/v1.9.4/panel/io/document.py).
    """
    await _send(document)
    if document in sending._WRITE_MSGS and document not in sending._WRITE_BLOCK:  # noqa: SLF001
        sending._WRITE_BLOCK[document] = True  # noqa: SLF001
        await send_what_is_kept_back(document)


def carry_styles(_shown: Any, root: Any) -> None:
    """Put the stylesheets of Panel into what a notebook shows, each once.

    Panel does so for what it shows itself, under each model anew. What HoloViews shows asks for them at
    ``cdn.holoviz.org``, whatever ``inline`` says.
    """
    if not Store.renderers["bokeh"].notebook_context:
        return
    carried: dict[str, Any] = {}
    for model in root.select({"type": UIElement}):
        sheets = model.stylesheets
        if any(isinstance(sheet, ImportedStyleSheet) for sheet in sheets):
            model.stylesheets = [_carried(sheet, carried) for sheet in sheets]


def _carried(sheet: Any, carried: dict[str, Any]) -> Any:
    if not isinstance(sheet, ImportedStyleSheet):
        return sheet
    if sheet.url not in carried:
        carried[sheet.url] = replace_inline_css(sheet)
    return carried[sheet.url]


def handle_in_turn(comm: Comm, message: Any) -> None:
    """Handle what a person does in the thread that runs the cells, when that has nothing else to do.

    JupyterLab from 4.4 on lets ipykernel from 7 on handle it in threads of their own, beside the cells and each other
    (https://github.com/jupyterlab/jupyterlab/issues/19719). Neither a selection nor HoloViews is made for that, and
    pyviz_comms, which puts something else in the place of ``sys.stdout`` meanwhile, would leave cells without it.
    """
    loop = kernel_loop()
    if loop is None or threading.current_thread() is threading.main_thread():
        _handle(comm, message)
    else:
        loop.add_callback(_handle, comm, message)
