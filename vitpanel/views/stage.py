"""What a view does in the browser alone: follow the theme, fill the page, save its charts as files."""

import json
from collections.abc import Callable, Sequence
from importlib.resources import files

import panel_material_ui as pmui
import param
from bokeh.plotting import figure
from panel.custom import JSComponent

from vitpanel.views.palette import css_variables, dark_colours, dark_ramps

VIEW_CLASS = "vp-view"  # CSS class of the whole view
MAXIMISE, RETURN = "Fill the page with this view", "Return to all views (Esc)"
_ICON_ALONE = {
    "minWidth": "28px",
    "padding": "2px",
    "& .MuiButton-endIcon": {"display": "none"},
    "& .MuiButton-startIcon": {"margin": 0},
}


class Stage(JSComponent):
    """Has no look of its own; stands in the header of a view and acts on the view around it.

    The theme is that of the page (or of the notebook); colours of figures are exchanged in the browser, so that
    neither the server nor the figures hear of it. Colours there and in a source's columns ("colour" in their names)
    are those on light ground, and so are the ones that Python writes later.
    """

    dark = param.Boolean(default=False, doc="Whether the ground is dark; told by the browser.")
    maximised = param.Boolean(default=False, doc="Whether the view fills the page; Esc makes it False.")
    colours = param.String(default="{}", doc="What colours become on dark ground, as JSON.")

    _esm = files("vitpanel.views").joinpath("js", "stage.js").read_text(encoding="utf-8")

    @classmethod
    def for_layers(cls, n_layers: int) -> "Stage":
        """Stage for views of a model with so many layers."""
        colours = {
            "colours": dark_colours(n_layers),
            "ramps": dark_ramps(),
            "light": css_variables(dark=False),
            "dark": css_variables(dark=True),
        }
        return cls(colours=json.dumps(colours), width=0, height=0, margin=0)

    def download(self, fig: figure, *, kind: str, file: str, text: str = "") -> None:
        """Let the browser save a figure as ``"png"`` or ``"svg"`` as it is seen, or a ``"csv"`` that belongs to it.

        A figure that is hidden is not saved; the browser says so.
        """
        self._send_msg({"kind": kind, "figure": fig.id, "file": file, "text": text})

    def say(self, words: str) -> None:
        """Show words below the header for some seconds."""
        self._send_msg({"kind": "words", "text": words})


def create_save_menu(files: Sequence[tuple[str, str]], save: Callable[[str, str], None]) -> pmui.MenuButton:
    """Menu of what can be saved, each with the stem of its name and its kind, which are given to ``save``."""
    items = [{"label": f"{stem} · {kind.upper()}"} for stem, kind in files]
    menu = pmui.MenuButton(
        items=items, icon="download", label="", description="Save a chart or its numbers", margin=(7, 0),
        size="small", variant="text", sx=_ICON_ALONE, visible=bool(items),
    )  # fmt: skip
    menu.on_click(lambda item: save(*files[items.index(item)]))
    return menu


def create_size_button(stage: Stage) -> pmui.IconButton:
    """Button that makes a view fill the page, and return."""
    look = {"size": "small", "margin": (7, 6, 0, 0), "width": 28}
    button = pmui.IconButton(icon="open_in_full", description=MAXIMISE, **look)

    def show_size(event: param.parameterized.Event) -> None:
        icon, words = ("close_fullscreen", RETURN) if event.new else ("open_in_full", MAXIMISE)
        button.param.update(icon=icon, description=words)

    button.on_click(lambda _: stage.param.update(maximised=not stage.maximised))
    stage.param.watch(show_size, "maximised")
    return button
