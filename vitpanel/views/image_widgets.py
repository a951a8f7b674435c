"""Widgets of the Image Overview: the search box, and the legend that can be pointed at."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, ClassVar

import panel_material_ui as pmui
import param
from panel.custom import JSComponent

from vitpanel.state.image_search import image_text, matching_images
from vitpanel.study.reader import Study
from vitpanel.views.palette import css


class ImageSearch(pmui.AutocompleteInput):
    """Text box that offers the images that match; only those few are sent to the browser."""

    @classmethod
    def of(cls, study: Study, **options: Any) -> "ImageSearch":
        """Box for the images of a study."""
        search = cls(lazy_search=True, restrict=False, min_characters=1, options=[], **options)
        search._study = study
        return search

    def _process_property_change(self, msg: dict[str, Any]) -> dict[str, Any]:
        # What a person types is made an option before it is taken over, for the reason of `show_text`.
        if "value" in msg:
            with param.parameterized.discard_events(self):
                self.options = [msg["value"] or ""]
        return super()._process_property_change(msg)

    def show_text(self, text: str) -> None:
        """Put a text into the box. It is made an option, since the base class takes back what is none."""
        self.param.update(options=[text], value=text, error_state=False)

    # The base class answers the browser with what this gives; it has no public door for other ways to search.
    def _filter_options(self, query: str, *_: Any, **__: Any) -> list[str]:
        return [image_text(self._study, image) for image in matching_images(self._study, query)]


class GroupButtons(JSComponent):
    """Legend of groups of images; in the browser a list of buttons."""

    caption = param.String(default="", doc="What the groups are.")
    groups = param.List(default=[], doc="For each group its name, colour, marker, and the number n of its images.")
    pointed = param.Integer(default=-1, doc="Group that is pointed at or has the focus, -1 for none.")

    _esm = files("vitpanel.views").joinpath("js", "groups.js").read_text(encoding="utf-8")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    /* Two rows, and so much of a third that one sees there is more. */
    :host {{ overflow-y: auto; max-height: 43px; scrollbar-width: thin; }}
    .groups {{ display: flex; flex-wrap: wrap; gap: 0 2px; padding: 0 6px; font: 10px/17px sans-serif;
        color: {css("text")}; }}
    .groups span {{ color: {css("hint")}; margin: 0 3px; }}
    .groups button {{ font: inherit; color: inherit; background: none; border: 0; border-radius: 3px; padding: 0 3px;
        max-width: 130px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; cursor: pointer; }}
    .groups button:hover, .groups button:focus-visible {{ background: {css("grid")}; }}
    .groups button:focus-visible {{ outline: 1px solid {css("value")}; outline-offset: -1px; }}
    .groups svg {{ width: 9px; height: 9px; margin-right: 3px; stroke: {css("text")}; stroke-width: 0.5;
        vertical-align: -1px; }}
"""
    ]

    def __init__(self, on_press: Callable[[int], object], **params: Any) -> None:
        super().__init__(**params)
        self._on_press = on_press

    def _handle_msg(self, data: dict[str, int]) -> None:
        if 0 <= data["pressed"] < len(self.groups):
            self._on_press(data["pressed"])
