"""The page around the views."""

from html import escape
from pathlib import Path
from typing import Any

import panel_material_ui as pmui
from bokeh.model import DataModel


class Page(pmui.Page):
    """Page of panel-material-ui whose widgets tell the server of persons' acts alone, and which changes at little cost.

    What its widgets do in the browser is in ``page.html``. When one of a page's properties changes, Panel searches all
    that it contains to mark models that are new, which have marked themselves already when they were made
    (https://github.com/holoviz/panel/blob/v1.9.4/panel/reactive.py, `_patch_datamodel_ref`). This page has over a
    thousand models, and its busy line changes twice at every act of anybody. Can go when Panel marks new ones alone.
    """

    def __init__(self, **params: Any) -> None:
        # The title has a model's name in it, and the template writes that of the page's description as HTML
        # (https://github.com/panel-extensions/panel-material-ui/blob/main/src/panel_material_ui/_templates/base.html).
        described = escape(params.get("title", ""))
        super().__init__(template=Path(__file__).with_name("page.html"), meta_title=described, **params)

    @classmethod
    def _patch_datamodel_ref(cls, props: DataModel, ref: str) -> None:
        mark = f"__ref:{ref}"
        if mark not in props.tags:
            props.tags.append(mark)
