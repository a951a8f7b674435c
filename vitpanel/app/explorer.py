"""The explorer: views A to D linked by one selection, laid out after Fig. 1 of the paper."""

import gc
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.themes import Theme

from vitpanel.app.icon_font import IconFont
from vitpanel.app.inference import ModelService, SessionInference
from vitpanel.app.page import Page
from vitpanel.app.study_card import study_title
from vitpanel.app.trust_badge import TrustBadge
from vitpanel.errors import VitpanelError
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.views.attention_detail import AttentionDetail
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.base import View, escaped
from vitpanel.views.bridge import Bridge
from vitpanel.views.head_importance import HeadImportance
from vitpanel.views.image_overview import ImageOverview
from vitpanel.views.pattern_overview import PatternOverview

HEADER_HEIGHT = 40
VIEWS: dict[str, type[View]] = {
    view.slug(): view for view in (ImageOverview, HeadImportance, AttentionStrength, PatternOverview, AttentionDetail)
}
# Rows of Fig. 1 with their shares of the height, and the views' shares of the width.
LAYOUT: dict[int, dict[str, int]] = {
    43: {"image-overview": 25, "head-importance": 75},
    57: {"attention-strength": 25, "pattern-overview": 24, "attention-detail": 51},
}
HEADER = {
    "& .MuiToolbar-root": {"minHeight": f"{HEADER_HEIGHT - 8}px !important"},
    "& .MuiToolbar-root h3": {"fontSize": "17px", "fontWeight": 500},
    "& .MuiToolbar-root .MuiIconButton-root": {"padding": "4px"},
}
# What a tooltip lies over can be clicked and dragged upon all the same, and it is not as narrow as a small button.
TOOLTIP = {"popper": {"pointerEvents": "none !important"}, "tooltip": {"width": "max-content", "maxWidth": "260px"}}
THEME = {"components": {"MuiTooltip": {"styleOverrides": TOOLTIP}}}
SMALLEST = {"min-width": "1180px", "min-height": "640px"}
# Page gives fonts and colours to models of these names unless the document's theme speaks of them; figures have the
# house style and follow the theme by `Stage`.
STYLED_BY_US = ("Axis", "BaseColorBar", "ColorBar", "Figure", "Grid", "Legend", "Plot", "Title")
FILLED: dict[str, Any] = {"sizing_mode": "stretch_both", "margin": 0}
NARROW = {"min-width": "0", "min-height": "0"}


class Explorer(pn.viewable.Viewer):
    """One person's linked views of a study.

    Parameters
    ----------
    study
        May be shared by all sessions of a process.
    service
        The live model, shared as well; None shows what the study alone gives.
    views
        Which of `VIEWS` to make, one name or several; None makes all.
    selection
        What is looked at, to be shared with another explorer; None starts one.
    height
        Pixels, or a CSS height, of the whole.

    Raises
    ------
    VitpanelError
        If there is no view of such a name; the hint gives those that there are.
    """

    def __init__(
        self,
        study: Study,
        *,
        service: ModelService | None = None,
        views: str | Sequence[str] | None = None,
        selection: Selection | None = None,
        height: int | str = 880,
    ) -> None:
        super().__init__()
        inference = None if service is None else SessionInference(service)
        self.session = Session(study, selection=selection, inference=inference)
        self.bridge = Bridge()
        self._height = height
        self.views = {name: VIEWS[name](self.session, self.bridge) for name in chosen_views(views)}

    @property
    def selection(self) -> Selection:
        """What is looked at; can be set from code, and given to another explorer."""
        return self.session.selection

    def __panel__(self) -> pn.viewable.Viewable:
        """Views A and B above C and D; made once, since Bokeh models belong to one document."""
        rows = {share: [name for name in names if name in self.views] for share, names in LAYOUT.items()}
        laid_out = [self._row(share, names) for share, names in rows.items() if names]
        smallest = SMALLEST if len(self.views) == len(VIEWS) else {}
        if isinstance(self._height, int):
            # In a cell nothing but a height of its own keeps the output from being as low as its first line.
            size = {"height": self._height, "sizing_mode": "stretch_width", "margin": 0}
            return pn.Column(IconFont.create(), *laid_out, **size, styles=smallest)
        return pn.Column(*laid_out, **FILLED, styles={"height": self._height, **smallest})

    def _row(self, share: int, names: list[str]) -> pn.Row:
        """Views side by side, with their shares of the width, in a row with its share of the page's height."""
        cells = [
            pn.Column(self.views[name], **FILLED, styles={"flex": f"{LAYOUT[share][name]} 1 0", **NARROW})
            for name in names
        ]
        return pn.Row(*cells, **FILLED, styles={"flex": f"{share} 1 0", **NARROW})


def chosen_views(views: str | Sequence[str] | None) -> list[str]:
    """Names of the views asked for, all without a wish."""
    names = list(VIEWS) if views is None else [views] if isinstance(views, str) else list(views)
    for name in names:
        if name not in VIEWS:
            message = f"There is no view {name!r}."
            raise VitpanelError(message, hint=f"The views are {', '.join(VIEWS)}.")
    return names


def create_page(study: Study, *, service: ModelService | None = None) -> Page:
    """Return the whole page of a session."""
    explorer = Explorer(study, service=service, height=f"calc(100vh - {HEADER_HEIGHT}px - 8px)")
    return _page(study_title(study), explorer, header=[TrustBadge(study)])


def create_app(path: Path, *, checkpoint: Path | None = None) -> Page:
    """Page of the study at ``path``; what is wrong with it is said on the page.

    The study and its model are opened once per process.
    """
    try:
        study, service = open_once(path, checkpoint=checkpoint)
    except VitpanelError as error:
        text = f"**{escaped(error.message)}** {escaped(error.hint)}"
        return _page("vitpanel", pmui.Alert(object=text, alert_type="error", margin=16))
    return create_page(study, service=service)


def open_once(path: Path, *, checkpoint: Path | None = None) -> tuple[Study, ModelService]:
    """Study at ``path`` and its model, which all sessions of the process share.

    A study that is not finished is read anew, since a run may have gone on meanwhile.

    Raises
    ------
    VitpanelError
        If the study cannot be opened.
    """
    service = pn.state.as_cached(f"vitpanel:{path.resolve()}", partial(_open, path, checkpoint))
    if not service.study.is_finished:
        service.study = open_study(path)
    return service.study, service


def _open(path: Path, checkpoint: Path | None) -> ModelService:
    service = ModelService(open_study(path), checkpoint=checkpoint)
    service.warm_up().add_done_callback(lambda _: _keep_what_is_loaded())
    return service


def _keep_what_is_loaded() -> None:
    """Let no ended session make the collector of garbage look through torch, which takes half a second."""
    gc.collect()
    gc.freeze()


def _page(title: str, content: Any, *, header: Sequence[pn.viewable.Viewer] = ()) -> Page:
    if pn.state.curdoc is not None:
        pn.state.curdoc.theme = Theme(json={"attrs": {name: {} for name in STYLED_BY_US}})
    return Page(
        title=title,
        main=[content],
        header=list(header),
        site_url="",
        busy_indicator="linear",
        sx=HEADER,
        theme_config=THEME,
    )
