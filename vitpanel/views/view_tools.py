"""The title of a view, and what it does in the browser alone: follow the theme, fill the page, save its charts."""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import panel as pn
import param
from bokeh.plotting import figure

from vitpanel.errors import public_words
from vitpanel.runtime.scripts import page_has
from vitpanel.theme.palette import css, css_variables, dark_colours, dark_ramps
from vitpanel.views.popover import Popover

VIEW_CLASS = "vp-view"  # CSS class of the whole view
SCALES = (1, 2, 4)
_STYLE = f"""
    :host {{ position: static; }}
    .tools {{ position: absolute; top: 0; right: 4px; }}
    .tools button {{ font: inherit; color: inherit; background: none; border: 0; border-radius: 4px; cursor: pointer; }}
    .tools button:hover:enabled {{ background: {css("grid")}; }}
    .tools button:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    .tool {{ width: 28px; height: 28px; padding: 5px; margin: 8px 0; }}
    .tool svg {{ display: block; fill: {css("text")}; }}
    .menu {{ inset: auto; margin: 0; padding: 6px; font: 12px/1.3 sans-serif; color: {css("text")};
        background: {css("surface")}; border: 1px solid {css("muted")}; border-radius: 4px; max-height: 70vh;
        overflow-y: auto; box-shadow: 0 2px 8px rgba(0, 0, 0, 0.25); }}
    .row, .scales {{ display: flex; align-items: center; gap: 4px; padding: 1px 4px; }}
    .scales {{ gap: 8px; padding-bottom: 5px; margin-bottom: 3px; border-bottom: 1px solid {css("muted")}; }}
    .scales label {{ display: flex; align-items: center; }}
    .name {{ flex: 1; min-width: 130px; max-width: 230px; padding-right: 10px; }}
    .name small {{ display: block; font-size: 11px; }}
    .row button {{ color: {css("value")}; padding: 4px 6px; font-weight: 600; }}
    .off, .row button:disabled {{ color: {css("hint")}; cursor: default; }}
    .row button:disabled {{ opacity: 0.6; font-weight: normal; }}
"""


class ViewTools(Popover):
    """Title of a view with its "?", and at the right of the header two buttons that act on the view around it.

    One opens a menu of files, the other lets the view fill the page.

    The theme is that of the page (or of the notebook); colours of figures are exchanged in the browser, so that
    neither the server nor the figures hear of it. Colours there and in a source's columns ("colour" in their names)
    are those on light ground, and so are the ones that Python writes later.

    Parameters
    ----------
    list_charts
        What can be saved: for each chart a record of ``stem``, ``title``, ``kinds``, the ``figure``'s id, the
        ``reason`` why it cannot be saved now or nothing, what to say when it is not shown, ``absent``, and the lines
        of ``python`` that draw it, without any where no element does.
    save
        Is given the stem, the kind and the scale that a person asks for.
    """

    dark = param.Boolean(default=False, doc="Whether the ground is dark; told by the browser.")
    maximised = param.Boolean(default=False, doc="Whether the view fills the page; Esc makes it False.")
    colours = param.String(default="{}", doc="What colours become on dark ground, as JSON.")
    charts = param.List(default=[], doc="What the menu of files offers.")

    _module = ("vitpanel.views", "view_tools.js")
    _stylesheets: ClassVar[list[str]] = [*Popover.own_styles(), _STYLE]

    def __init__(
        self,
        list_charts: Callable[[], list[dict[str, Any]]] = list,
        save: Callable[..., object] = lambda *_, **__: None,
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self._list_charts, self._save = list_charts, save

    @classmethod
    def for_layers(cls, n_layers: int, *, has_ramps: bool = True, **options: Any) -> "ViewTools":
        """Title and tools for views of a model with so many layers; ``has_ramps`` as in `View`."""
        has_page = page_has(cls._module, pn.state.curdoc)
        colours = _exchanged(n_layers, has_ramps=has_ramps, has_page=has_page)
        return cls(colours=colours, margin=(0, 4, 0, 8), styles={"margin-right": "auto"}, **options)

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if "opened" in data:
            self.charts = self._list_charts()
            return
        stem, kind, scale = (data.get(name) for name in ("save", "kind", "scale"))
        if any(stem == chart["stem"] and kind in chart["kinds"] for chart in self._list_charts()):
            self._save(stem, kind, scale=scale if scale in SCALES else 1)

    def download(
        self,
        fig: figure | None,
        *,
        kind: str,
        file: str,
        text: str = "",
        scale: int = 1,
        legend: dict[str, Any] | None = None,
        caption: Sequence[str] = (),
    ) -> None:
        """Let the browser save a figure as ``"png"`` or ``"svg"`` as it is seen, or a table that belongs to it.

        A figure that is hidden is not saved; the browser says so.

        Parameters
        ----------
        fig
            None for a table.
        text
            Of a ``"csv"``; or a ``"parquet"`` in base64.
        scale
            Pixels of a PNG for each that the figure has on the screen, along each side.
        legend
            What is drawn below the figure: a ``caption`` and ``groups``, each a ``name``, ``colour`` and ``marker``.
        caption
            Lines below all that, which say what the figure is of; each is broken where it is too wide.
        """
        what = {"kind": kind, "figure": "" if fig is None else fig.id, "file": file, "text": text}
        self._send_msg(what | {"scale": scale, "legend": legend, "caption": list(caption)})

    def say(self, words: str) -> None:
        """Show words below the header for some seconds."""
        self._send_msg({"kind": "words", "text": public_words(words)})


@lru_cache(maxsize=16)
def _exchanged(n_layers: int, *, has_ramps: bool, has_page: bool) -> str:
    """Colours of the two themes for the browser, as JSON; without ramps where the page has them."""
    colours = {
        "colours": dark_colours(n_layers),
        "ramps": None if has_page else dark_ramps(),
        "light": css_variables(dark=False),
        "dark": css_variables(dark=True),
    }
    return json.dumps(colours if has_ramps else colours | {"ramps": []})
