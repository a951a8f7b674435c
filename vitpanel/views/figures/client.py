"""What runs in the browser: scripts that are shipped beside the figures."""

from bokeh.models import CustomJS
from bokeh.plotting import figure

from vitpanel.runtime.scripts import body_text

READABLE = "readable"  # name of renderers whose values are read under the pointer


def script(name: str) -> str:
    """Text of a script for a model of Bokeh, which is given what the function in it asks for."""
    return body_text("vitpanel.views.figures", name)


def fit_to_frame(fig: figure, width: float, height: float, *, room: int = 0) -> CustomJS:
    """Keep units of x and y equally long, with all of ``width × height`` in sight, whatever the size of the frame.

    Parameters
    ----------
    room
        Pixels that stay free below.

    Returns
    -------
    What fits once more, to the size that a script has noted of the figure.
    """
    fit = CustomJS(args={"fig": fig, "size": [width, height], "room": room}, code=script("fit.js"))
    fig.js_on_change("inner_width", fit)
    fig.js_on_change("inner_height", fit)
    return fit
