"""The explorer: views A to D linked by one selection, laid out after Fig. 1 of the paper."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.themes import Theme

from vitpanel.app.inference import ModelService, SessionInference
from vitpanel.app.trust_badge import TrustBadge
from vitpanel.errors import VitpanelError
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.views.attention_detail import AttentionDetail
from vitpanel.views.attention_strength import AttentionStrength
from vitpanel.views.base import escaped
from vitpanel.views.bridge import Bridge
from vitpanel.views.head_importance import HeadImportance
from vitpanel.views.image_overview import ImageOverview
from vitpanel.views.pattern_overview import PatternOverview

HEADER_HEIGHT = 48
# Page gives fonts and colours to models of these names unless the document's theme speaks of them; figures have the
# house style and follow the theme by `Stage`.
STYLED_BY_US = ("Axis", "BaseColorBar", "ColorBar", "Figure", "Grid", "Legend", "Plot", "Title")
FILLED: dict[str, Any] = {"sizing_mode": "stretch_both", "margin": 0}


class Explorer(pn.viewable.Viewer):
    """One person's linked views of a study.

    Parameters
    ----------
    study
        May be shared by all sessions of a process.
    service
        The live model, shared as well; None shows what the study alone gives.
    height
        CSS height of the whole.
    """

    def __init__(self, study: Study, *, service: ModelService | None = None, height: str = "880px") -> None:
        super().__init__()
        self.session = Session(study, inference=None if service is None else SessionInference(service))
        self.bridge = Bridge()
        self._height = height
        self.images = ImageOverview(self.session, self.bridge)
        self.importance = HeadImportance(self.session, self.bridge)
        self.strength = AttentionStrength(self.session, self.bridge)
        self.patterns = PatternOverview(self.session, self.bridge)
        self.detail = AttentionDetail(self.session, self.bridge)

    def __panel__(self) -> pn.viewable.Viewable:
        """Views A and B above C and D; made once, since Bokeh models belong to one document."""
        upper = _row((self.images, 25), (self.importance, 75), height=43)
        lower = _row((self.strength, 25), (self.patterns, 24), (self.detail, 51), height=57)
        styles = {"height": self._height, "min-width": "1180px", "min-height": "640px"}
        return pn.Column(upper, lower, sizing_mode="stretch_width", margin=0, styles=styles)


def create_page(study: Study, *, service: ModelService | None = None) -> pmui.Page:
    """Return the whole page of a session."""
    explorer = Explorer(study, service=service, height=f"calc(100vh - {HEADER_HEIGHT}px - 8px)")
    return _page(_title(study), explorer, header=[TrustBadge(study)])


def create_app(path: Path, *, checkpoint: Path | None = None) -> pmui.Page:
    """Page of the study at ``path``; what is wrong with it is said on the page.

    The study and its model are opened once per process.
    """
    key = f"vitpanel:{path.resolve()}"
    try:
        study, service = pn.state.as_cached(key, partial(_open, path, checkpoint))
    except VitpanelError as error:
        text = f"**{escaped(error.message)}** {escaped(error.hint)}"
        return _page("vitpanel", pmui.Alert(object=text, alert_type="error", margin=16))
    return create_page(study, service=service)


def _open(path: Path, checkpoint: Path | None) -> tuple[Study, ModelService]:
    study = open_study(path)
    service = ModelService(study, checkpoint=checkpoint)
    service.warm_up()
    return study, service


def _title(study: Study) -> str:
    spec = study.spec
    return (
        f"vitpanel · {study.manifest.model['name']} · {spec.n_layers} layers × {spec.n_heads} heads · "
        f"{study.n_images} images"
    )


def _page(title: str, content: Any, *, header: Sequence[pn.viewable.Viewer] = ()) -> pmui.Page:
    if pn.state.curdoc is not None:
        pn.state.curdoc.theme = Theme(json={"attrs": {name: {} for name in STYLED_BY_US}})
    return pmui.Page(
        title=title,
        main=[content],
        header=list(header),
        busy_indicator="linear",
        sx={"& .MuiToolbar-root": {"minHeight": f"{HEADER_HEIGHT}px !important"}},
    )


def _row(*parts: tuple[pn.viewable.Viewer, int], height: int) -> pn.Row:
    """Views side by side, with their shares of the width, in a row with its share of the page's height."""
    cells = [
        pn.Column(view, **FILLED, styles={"flex": f"{share} 1 0", "min-width": "0", "min-height": "0"})
        for view, share in parts
    ]
    return pn.Row(*cells, **FILLED, styles={"flex": f"{height} 1 0", "min-height": "0"})
