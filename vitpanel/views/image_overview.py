"""A: all images of the study, and the way to choose one."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.events import Tap

from vitpanel.errors import VitpanelError
from vitpanel.state.session import Session
from vitpanel.views.base import COMPACT, FILLED, FULL_WIDTH, Chart, View, escaped, source_table
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.image_map import NO_LABEL, create_image_map, data_uri, image_columns, ring_columns
from vitpanel.views.figures.picking import nearest_point
from vitpanel.views.palette import MUTED, class_colours, css

LAYOUT = "layout/images"
MOST_THUMBNAILS = 2500
_STRIP = f"""
    .strip {{ display: flex; gap: 8px; align-items: center; height: 100%; padding: 0 8px; font: 12px/1.3 sans-serif;
        color: {css("text")}; box-sizing: border-box; }}
    .strip img {{ width: 52px; height: 52px; object-fit: contain; background: {css("grid")};
        border: 1px solid {css("muted")}; }}
    .strip img.small {{ image-rendering: pixelated; }}
    .strip > div {{ min-width: 0; flex: 1; }}
    .strip .line {{ white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
    .strip .file, .strip .none {{ color: {css("hint")}; font-size: 11px; }}
    .strip .error {{ color: {css("warning")}; white-space: normal; }}
"""
_LEGEND = f"""
    :host {{ overflow-y: auto; max-height: 34px; }}
    .legend {{ display: flex; flex-wrap: wrap; gap: 0 8px; padding: 1px 8px; font: 10px/16px sans-serif;
        color: {css("text")}; }}
    .legend span {{ white-space: nowrap; max-width: 120px; overflow: hidden; text-overflow: ellipsis; }}
    .legend i {{ display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 3px;
        box-shadow: 0 0 0 0.5px {css("text")}; }}
"""


class ImageOverview(View):
    """Map of all images (Fig. 1A)."""

    title = "Image Overview"
    help = (
        "Each point is an image, coloured by its label. Images lie close together when the same heads matter for them. "
        "Click a point or type an image id to look at one image; scroll to zoom, double-click to see all."
    )

    def __init__(self, session: Session, bridge: Bridge, **params: Any) -> None:
        super().__init__(session, bridge, **params)
        study = session.study
        by_class = study.images.sort_values("label", kind="stable")["label_name"]
        self.colours = class_colours(tuple(name for name in by_class.unique() if name))
        has_layout = LAYOUT in study
        layout = study[LAYOUT] if has_layout else np.full((study.n_images, 2), np.nan)
        columns = image_columns(study.images, layout, self.colours)
        self.map = create_image_map(columns, thumbnails=self._thumbnails() if has_layout else None)
        self.chart = Chart(self.map.figure, bridge, name="image-overview", table=self._table)
        self.strip = pn.pane.HTML("", height=60, stylesheets=[_STRIP], **FULL_WIDTH)
        self.legend = pn.pane.HTML(self._legend_html(), stylesheets=[_LEGEND], **FULL_WIDTH)
        self._create_controls()
        self.map.figure.on_event(Tap, self._on_tap)
        session.selection.param.watch(self._on_image, "image")
        self._on_image()
        self._draw()

    def _create_controls(self) -> None:
        self.text = pmui.TextInput(placeholder="image id", size="small", width=80, margin=(8, 0), sx=COMPACT)
        self.text.param.watch(self._on_text, "value")
        button = {"size": "small", "margin": (9, 0), "width": 28}
        self.previous = pmui.IconButton(icon="chevron_left", description="Previous image", **button)
        self.next = pmui.IconButton(icon="chevron_right", description="Next image", **button)
        self.everything = pmui.Button(
            label="All",
            description="All images, none chosen",
            size="small",
            variant="text",
            margin=(8, 4, 0, 0),
            width=40,
            sx={"minWidth": 0},
        )
        self.previous.on_click(lambda _: self.session.step_image(-1))
        self.next.on_click(lambda _: self.session.step_image(1))
        self.everything.on_click(lambda _: self.session.choose_image(""))

    def controls(self) -> list[pn.viewable.Viewable]:
        """Ways to choose an image without the map."""
        return [self.previous, self.text, self.next, self.everything]

    def body(self) -> pn.viewable.Viewable:
        """Stack the map, what its colours mean, and the chosen image."""
        return pn.Column(self.chart, self.legend, self.strip, **FILLED)

    def _table(self) -> pd.DataFrame:
        table = source_table(self.map.points, image="image", label="label", predicted="predicted", p_true="p_true")
        return table.assign(
            file=self.session.study.images["file"], x=self.map.points.data["x"], y=self.map.points.data["y"]
        )

    # -- acts of the person ----------------------------------------------------------------------------------------

    def _on_tap(self, event: Tap) -> None:
        points = self.map.points.data
        image = nearest_point(self.map.figure, (event.x, event.y), (points["x"], points["y"]))
        if image is not None:
            self.session.selection.image = image

    def _on_text(self, event: Any) -> None:
        try:
            self.session.choose_image(event.new)
        except VitpanelError as error:
            self.text.error_state = True
            words = f"{escaped(error.message)} {escaped(error.hint)}"
            self.strip.object = f'<div class="strip"><div class="error" role="alert">{words}</div></div>'
        else:
            self._on_image()

    # -- answers to the selection ----------------------------------------------------------------------------------

    def _on_image(self, *_: Any) -> None:
        image, last = self.session.selection.image, self.session.study.n_images - 1
        self.text.param.update(value="" if image is None else str(image), error_state=False)
        self.previous.disabled = image == 0
        self.next.disabled = image == last
        self.everything.disabled = image is None
        self.strip.object = f'<div class="strip">{self._strip_html(image)}</div>'
        self.bridge.put("A", self._draw)

    def _draw(self) -> None:
        image = self.session.selection.image
        self.draw(self.chart, lambda: self.map.ring.update(data=ring_columns(self.map.points, image)), needs=LAYOUT)

    def _strip_html(self, image: int | None) -> str:
        study = self.session.study
        if image is None:
            return f'<div class="none">All {study.n_images} images. Click a point or type an id to look at one.</div>'
        row: Any = study.images.iloc[image]
        label = escaped(row["label_name"] or NO_LABEL)
        file = escaped(row["file"])
        return (
            f"{self._picture_html(image)}<div>"
            f'<div class="line">image {image}: <b>{label}</b></div>'
            f'<div class="line">{self._prediction_html(image)}</div>'
            f'<div class="line file" title="{file}">{file}</div></div>'
        )

    def _prediction_html(self, image: int) -> str:
        row: Any = self.session.study.images.iloc[image]
        if not row["predicted_name"]:
            return "no prediction"
        mark = "" if row["label"] < 0 else " ✓" if row["label"] == row["predicted"] else " ✗"
        share = "" if np.isnan(row["p_true"]) else f", p({'true' if row['label'] >= 0 else 'top'}) {row['p_true']:.3f}"
        return f"predicted {escaped(row['predicted_name'])}{mark}{share}"

    def _picture_html(self, image: int) -> str:
        try:
            picture = self.session.study.crop(image)
        except VitpanelError:
            return ""
        small = max(self.session.study.spec.image_size) <= 64  # noqa: PLR2004 - smaller pictures blur when enlarged
        return f'<img class="{"small" if small else ""}" alt="image {image}" src="{data_uri(picture)}">'

    def _legend_html(self) -> str:
        entries = dict(self.colours)
        if "" in set(self.session.study.images["label_name"]):
            entries[NO_LABEL] = MUTED
        chips = (
            f'<span title="{escaped(name)}"><i style="background:{colour}"></i>{escaped(name)}</span>'
            for name, colour in entries.items()
        )
        return f'<div class="legend">{"".join(chips)}</div>'

    def _thumbnails(self) -> list[str] | None:
        study = self.session.study
        if study.n_images > MOST_THUMBNAILS:
            return None
        return [self._thumbnail(image) for image in range(study.n_images)]

    def _thumbnail(self, image: int) -> str:
        try:
            return data_uri(self.session.study.thumbnail(image))
        except VitpanelError:
            return ""
