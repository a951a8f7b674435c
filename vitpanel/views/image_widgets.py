"""Widgets of the Image Overview: the search box, and the legend that can be pointed at."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import param

from vitpanel.state.image_search import image_text, matching_images
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.base import SHADED_ENDS
from vitpanel.views.component import Component


class ImageSearch(Component):
    """Text box that offers the images that match; only those few are sent to the browser.

    Parameters
    ----------
    study
        Gives what images are looked for in.
    on_choose
        Is given the text that a person has entered or taken from the list; an empty one means all images.
    on_match
        Is given a text when all images with it in their names are to be brushed, and which of the keys ``shift``,
        ``ctrl`` and ``alt`` are held.
    """

    text = param.String(default="", doc="What the box shows while nobody types there.")
    is_wrong = param.Boolean(default=False, doc="Whether what was entered last was refused.")
    label = param.String(default="Image: id, file or class", doc="What a screen reader calls it.")
    placeholder = param.String(default="id, file or class", doc="What the empty box says.")
    clear_label = param.String(default="All images, none chosen", doc="What the cross does.")

    _module = ("vitpanel.views", "search.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    .search {{ position: relative; font: 13px sans-serif; color: {css("text")}; }}
    input {{ box-sizing: border-box; width: 100%; height: 30px; padding: 3px 20px 3px 8px; font: inherit;
        color: inherit; background: none; border: 1px solid {css("muted")}; border-radius: 4px; }}
    input:placeholder-shown {{ padding-right: 6px; text-overflow: ellipsis; }}
    input::placeholder {{ color: {css("hint")}; opacity: 1; }}
    input:focus {{ outline: 2px solid {css("value")}; outline-offset: -1px; }}
    input[aria-invalid="true"] {{ outline: 2px solid {css("warning")}; outline-offset: -1px; }}
    button {{ position: absolute; right: 2px; top: 3px; width: 20px; height: 24px; padding: 0; font: 16px sans-serif;
        color: {css("hint")}; background: none; border: 0; cursor: pointer; }}
    ul {{ inset: auto; margin: 0; padding: 4px 0; max-height: 260px; overflow-y: auto; font: 13px/1.3 sans-serif;
        color: {css("text")}; background: {css("surface")}; border: 1px solid {css("muted")}; border-radius: 4px;
        box-shadow: 0 2px 8px rgba(0, 0, 0, 0.25); }}
    li {{ list-style: none; padding: 4px 10px; white-space: nowrap; cursor: pointer; }}
    li.all {{ position: sticky; bottom: -4px; background: {css("surface")}; border-top: 1px solid {css("muted")};
        box-shadow: inset 3px 0 0 {css("brush")}; }}
    li:hover, li[aria-selected="true"] {{ background: {css("grid")}; }}
"""
    ]

    def __init__(
        self,
        study: Callable[[], Study],
        on_choose: Callable[[str], object],
        on_match: Callable[[str, Mapping[str, bool]], object],
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self._study, self._on_choose, self._on_match = study, on_choose, on_match

    def show_text(self, text: str) -> None:
        """Say what is chosen, once it is."""
        self.param.update(text=text, is_wrong=False)
        self._send_msg({"is_taken": True})

    def refuse(self) -> None:
        """Mark what was entered as no image."""
        self.is_wrong = True
        self._send_msg({"is_taken": False})

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if "choose" in data:
            self._on_choose(str(data["choose"]))
        elif "brush" in data:
            self._on_match(str(data["brush"]), _held(data))
        elif "search" in data:
            study, query = self._study(), str(data["search"]).strip()
            images, n_named = matching_images(study, query)
            found = {"options": [image_text(study, image) for image in images], "n_named": n_named}
            self._send_msg({"id": data.get("id"), "query": query} | found)


class ImageLegend(Component):
    """Legend of images; in the browser a list of buttons, one a group, or a bar of colours with its numbers.

    Parameters
    ----------
    on_press
        Is given the group that is pressed, and which of the keys ``shift``, ``ctrl`` and ``alt`` are held.
    on_range
        Is given start and end of a part of the bar, from 0 to 1, and the keys.
    on_offer
        Is called when what is offered is taken.
    """

    caption = param.String(default="", doc="What the groups or the numbers are.")
    groups = param.List(default=[], doc="For each group its name, colour, marker, and the number n of its images.")
    scale = param.Dict(default={}, doc="Bar of colours, as `scale.js` has it; empty where there are groups.")
    offer = param.String(default="", doc="Other colours that one press gives; empty for none.")
    pointed = param.Integer(default=-1, doc="Group that is pointed at or has the focus, -1 for none.")

    _module = ("vitpanel.views", "groups.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    /* Three rows. */
    :host {{ overflow-y: auto; max-height: 63px; scrollbar-width: thin; {SHADED_ENDS} }}
    .groups {{ display: flex; flex-wrap: wrap; gap: 0 2px; padding: 0 6px; font: 11px/21px sans-serif;
        color: {css("text")}; }}
    .groups span {{ color: {css("hint")}; margin: 0 3px; }}
    .groups button {{ font: inherit; color: inherit; background: none; border: 0; border-radius: 3px; padding: 0 3px;
        max-width: 130px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; cursor: pointer; }}
    .groups button:hover, .groups button:focus-visible {{ background: {css("grid")}; }}
    .groups button:focus-visible {{ outline: 1px solid {css("value")}; outline-offset: -1px; }}
    .groups .offer {{ flex: none; max-width: none; height: 18px; line-height: 16px; padding: 0 7px;
        border: 1px solid {css("brush")}; border-radius: 9px; }}
    .groups svg {{ width: 9px; height: 9px; margin-right: 3px; stroke: {css("text")}; stroke-width: 0.5;
        vertical-align: -1px; }}
    .scale {{ width: 100%; padding-right: 4px; font: 11px/14px sans-serif; }}
    .scale .head, .scale .numbers {{ display: flex; justify-content: space-between; gap: 8px; white-space: nowrap; }}
    .groups .scale span {{ margin: 0; color: {css("text")}; }}
    .groups .scale .caption {{ overflow: hidden; text-overflow: ellipsis; }}
    .groups .scale .note {{ color: {css("hint")}; }}
    .scale .numbers {{ line-height: 13px; }}
    .scale .numbers span {{ flex: 1; text-align: center; }}
    .scale .numbers span:first-child {{ text-align: left; }}
    .scale .numbers span:last-child {{ text-align: right; }}
    .scale .bar {{ position: relative; height: 8px; margin: 2px 0; border-radius: 2px; touch-action: none; }}
    .scale .bar[tabindex] {{ cursor: crosshair; }}
    .scale .bar[tabindex]::before {{ content: ""; position: absolute; inset: -4px 0; }}
    .scale .bar:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: 1px; }}
    .scale .bar b {{ position: absolute; top: -3px; bottom: -3px; min-width: 2px; box-sizing: border-box;
        border: 2px solid {css("brush")}; box-shadow: 0 0 0 1px {css("surface")}; pointer-events: none; }}
    .scale .bar i {{ position: absolute; top: -3px; bottom: -3px; width: 2px; margin-left: -2px;
        box-sizing: content-box; background: {css("chosen")}; border: 1px solid {css("surface")}; }}
"""
    ]

    def __init__(
        self,
        on_press: Callable[[int, Mapping[str, bool]], object],
        *,
        on_range: Callable[[float, float, Mapping[str, bool]], object],
        on_offer: Callable[[], object],
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self._on_press, self._on_range, self._on_offer = on_press, on_range, on_offer

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data.get("pressed") in range(len(self.groups)):
            self._on_press(data["pressed"], _held(data))
        elif "range" in data:
            start, end = (float(place) for place in data["range"])
            self._on_range(start, end, _held(data))
        elif "offer" in data:
            self._on_offer()


def _held(data: Mapping[str, Any]) -> dict[str, bool]:
    """Which keys are held, as a browser tells it."""
    return {key: data.get(key) is True for key in ("shift", "ctrl", "alt")}
