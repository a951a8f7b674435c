"""What elements and views need of a notebook: that they fetch nothing, and are told of clicks one after the other."""

import sys
import threading
from typing import Any

import holoviews.plotting.bokeh  # noqa: F401 - has the renderer
import panel as pn
from bokeh.models import ImportedStyleSheet, UIElement
from holoviews import Store
from panel.io.notebook import replace_inline_css
from pyviz_comms import Comm


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


_comm: Any = Comm
_handle = _comm._handle_msg  # noqa: SLF001


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


def kernel_loop() -> Any:
    """Event loop of the kernel's main thread; None where there is no kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(getattr(shell, "kernel", None), "io_loop", None)


# Panel's own modules are told of what is to be shown in this way; there is no other.
pn.viewable.Viewable._preprocessing_hooks.append(carry_styles)  # noqa: SLF001
_comm._handle_msg = handle_in_turn  # noqa: SLF001
