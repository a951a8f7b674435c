"""Elements in a notebook that ask the internet for nothing."""

from typing import Any

import holoviews.plotting.bokeh  # noqa: F401 - has the renderer
import panel as pn
from bokeh.models import ImportedStyleSheet, UIElement
from holoviews import Store
from panel.io.notebook import replace_inline_css


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


# Panel's own modules are told of what is to be shown in this way; there is no other.
pn.viewable.Viewable._preprocessing_hooks.append(carry_styles)  # noqa: SLF001
