"""What says in a notebook that nobody hears of what a person does in its figures, where nobody does."""

import re
import warnings
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

import panel as pn
from bokeh.models import CustomJS, Plot
from holoviews import Store

UNHEARD = (
    "Nobody hears of what you do here. In JupyterLab and Notebook 7, install pyviz_comms where Jupyter itself runs, "
    "not only where the kernel runs, and start Jupyter again. In VS Code and Colab, install jupyter_bokeh where the "
    "kernel runs, and start the kernel again. Elsewhere, run the notebook: a saved page is a picture."
)
_IMPORT = re.compile(r"^import .*\n+", re.MULTILINE)


@lru_cache(maxsize=1)
def apply() -> None:
    """Let figures be drawn, and say what is missing, where nobody hears of clicks; once in a process."""
    do_without_widgets()
    # Panel's own modules are told of what is to be shown in this way; there is no other.
    pn.viewable.Viewable._preprocessing_hooks.append(say_unheard)  # noqa: SLF001


def do_without_widgets() -> None:
    """Draw figures without ipywidgets where the package is missing that makes them.

    HoloViews chooses them in VS Code and Colab without a look whether it is there, and then nothing is drawn.

    Warns
    -----
    UserWarning
        If it is missing.
    """
    config: Any = pn.config
    if config.comms != "default" and find_spec("jupyter_bokeh") is None:
        warnings.warn(UNHEARD, stacklevel=2)
        config.comms = "default"


def say_unheard(_shown: Any, root: Any) -> None:
    """Let the figures of a notebook that ask for clicks say that nobody hears of them, where nobody does."""
    if not Store.renderers["bokeh"].notebook_context or pn.config.comms != "default":
        return
    for figure in root.select({"type": Plot}):
        if "tap" in figure.subscribed_events:
            figure.js_on_event("tap", CustomJS(args={"words": UNHEARD}, code=_script()))


@lru_cache(maxsize=1)
def _script() -> str:
    """Module of the browser, with what it imports."""
    folder = files("vitpanel.elements").joinpath("js")
    return "".join(_IMPORT.sub("", folder.joinpath(name).read_text("utf-8")) for name in ("heard.js", "unheard.js"))
