"""What runs in the browser: scripts that are shipped beside the figures."""

from importlib.resources import files

from bokeh.models import CustomJS
from bokeh.plotting import figure

READABLE = "readable"  # name of renderers whose values are read under the pointer


def script(name: str) -> str:
    """Text of a script."""
    return files("vitpanel.views.figures").joinpath("js", name).read_text(encoding="utf-8")


def fit_to_frame(fig: figure, width: float, height: float, *, room: int = 0) -> CustomJS:
    """Keep units of x and y equally long, with all of ``width × height`` in sight, whatever the size of the frame.

    Parameters
    ----------
    room
        Pixels that stay free below.

    Returns
    -------
    What fits once more, to the size that a script gave the figure as ``_size``.
    """
    fit = CustomJS(args={"fig": fig, "size": [width, height], "room": room}, code=script("fit.js"))
    fig.js_on_change("inner_width", fit)
    fig.js_on_change("inner_height", fit)
    return fit
