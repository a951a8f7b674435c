"""Containers of panel-material-ui that do not search all they contain at each change."""

import panel_material_ui as pmui
from bokeh.model import DataModel


class _Shallow:
    """Marks the container's own model as part of a page; what it contains marks itself when it is made.

    Panel looks through all models inside at each change of a property
    (https://github.com/holoviz/panel/blob/v1.9.4/panel/reactive.py, `_patch_datamodel_ref`). The page has 1,400 of
    them, and its busy line changes twice at every act of anybody. Can go when Panel marks new children alone.
    """

    @classmethod
    def _patch_datamodel_ref(cls, props: DataModel, ref: str) -> None:
        mark = f"__ref:{ref}"
        if mark not in props.tags:
            props.tags.append(mark)


class Paper(_Shallow, pmui.Paper):
    """Sheet of one view."""


class Page(_Shallow, pmui.Page):
    """Whole page of a session."""
