"""The page around the views."""

import panel_material_ui as pmui
from bokeh.model import DataModel


class Page(pmui.Page):
    """Page of panel-material-ui that does not search all it contains when one of its properties changes.

    Panel does so to mark models that are new, which have marked themselves already when they were made
    (https://github.com/holoviz/panel/blob/v1.9.4/panel/reactive.py, `_patch_datamodel_ref`). The page has over a
    thousand models, and its busy line changes twice at every act of anybody. Can go when Panel marks new ones alone.
    """

    @classmethod
    def _patch_datamodel_ref(cls, props: DataModel, ref: str) -> None:
        mark = f"__ref:{ref}"
        if mark not in props.tags:
            props.tags.append(mark)
