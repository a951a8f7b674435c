"""The outermost column of a view."""

from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.model import Model


class ViewColumn(pn.Column):
    """Column that says when it is about to be shown, before it is described."""

    before_shown: Callable[[], None] = staticmethod(lambda: None)

    def _get_model(self, doc: Any, root: Any = None, parent: Any = None, comm: Any = None) -> Model:
        self.before_shown()
        return super()._get_model(doc, root, parent, comm)
