"""Panes of figures that cost a page little."""

from typing import Any, ClassVar

import panel as pn
from bokeh.model import Model


class FigurePane(pn.pane.Bokeh):
    """Pane of a figure in the house style, which is put on a page as it is.

    Panel goes through all that a figure refers to, for scripts that name the figure and to give it the look of the
    page's design (`Bokeh._get_model` in https://github.com/holoviz/panel/blob/v1.9.4/panel/pane/plot.py). Figures that
    share sources refer to each other, so that a page goes through most of its models once for each figure: a third of
    what it takes to put a page into its document. Ours have their look, and no script names its figure.
    """

    def _get_model(self, doc: Any, root: Any = None, parent: Any = None, comm: Any = None) -> Model:
        figure = self.object
        is_served = root is not None and comm is None
        if not is_served or figure is None or figure.document is not None:
            return super()._get_model(doc, root, parent, comm)
        self._models[root.ref["id"]] = (figure, parent)
        return figure


class PlotPane(pn.pane.HoloViews):
    """Pane of a plot of HoloViews whose figure is put on a page as it is."""

    _panes: ClassVar[Any] = {**pn.pane.HoloViews._panes, "bokeh": FigurePane}  # noqa: SLF001 - meant for subclasses
    is_kept = False  # whether the plot may be shown again when it is no longer shown

    def _cleanup(self, root: Model | None = None) -> None:
        if self.is_kept and root is not None:
            # Panel would end it: it takes it for one that it has made itself, and would make anew.
            _, pane = self._plots.pop(root.ref["id"], (None, None))
            if pane is not None:
                pane._cleanup(root)  # noqa: SLF001 - as in the method that is overridden
        super()._cleanup(root)
