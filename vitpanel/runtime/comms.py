"""Which way figures of a notebook speak with Python, and what is said where nobody hears of clicks."""

import sys
import warnings
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import panel as pn
from bokeh.models import CustomJS, Plot
from holoviews import Store

from vitpanel.runtime.scripts import body_text

UNHEARD = (
    "Nobody hears of what you do here. In JupyterLab and Notebook 7, install pyviz_comms where Jupyter itself runs, "
    "not only where the kernel runs, and start Jupyter again. In VS Code and Colab, install jupyter_bokeh where the "
    "kernel runs, and start the kernel again. Elsewhere, run the notebook: a saved page is a picture."
)
IN_COLAB = (
    "In Colab, elements that follow a selection are drawn by jupyter_bokeh, which is missing: "
    "!pip install jupyter_bokeh, restart the session, and run the cells again. vitpanel.explore does without."
)


@lru_cache(maxsize=1)
def apply() -> None:
    """Say what is missing where nobody hears of clicks; once in a process."""
    # Panel's own modules are told of what is to be shown in this way; there is no other.
    pn.viewable.Viewable._preprocessing_hooks.append(say_unheard)  # noqa: SLF001


def choose() -> None:
    """Choose a way that works here, each time that something is made to be shown: extensions choose anew.

    HoloViews chooses ipywidgets of jupyter_bokeh in VS Code and Colab without a look whether it is there, and then
    nothing is drawn. Panel looks, and without it stays with the way of JupyterLab, by which Colab draws nothing but in
    the cell that loads Panel. By its way of Colab it draws in each cell and needs no widgets (`_repr_mimebundle_` in
    https://github.com/holoviz/panel/blob/v1.9.4/panel/viewable.py).

    Warns
    -----
    UserWarning
        If jupyter_bokeh is missing.
    """
    config: Any = pn.config
    is_colab = "google.colab" in sys.modules
    if is_colab and config.comms == "default":
        config.comms = "colab"
    if config.comms == "default":
        return
    if find_spec("jupyter_bokeh") is None:
        warnings.warn(IN_COLAB if is_colab else UNHEARD, stacklevel=2)
        config.comms = "colab" if is_colab else "default"
    elif is_colab:
        _let_colab_load_widgets()


@lru_cache(maxsize=1)
def _let_colab_load_widgets() -> None:
    """Let Colab load the part of jupyter_bokeh that runs in the browser, once in a session."""
    import_module("google.colab.output").enable_custom_widget_manager()


def say_unheard(_shown: Any, root: Any) -> None:
    """Let the figures of a notebook that ask for clicks say that nobody hears of them, where nobody does."""
    if not Store.renderers["bokeh"].notebook_context or pn.config.comms != "default":
        return
    for figure in root.select({"type": Plot}):
        if "tap" in figure.subscribed_events:
            code = body_text("vitpanel.runtime", "unheard.js")
            figure.js_on_event("tap", CustomJS(args={"words": UNHEARD}, code=code))
