"""One page of the table of what pruning each head does to each image."""

from collections.abc import Mapping
from typing import Any, ClassVar

import param

from vitpanel.core.spec import short_head_name
from vitpanel.errors import VitpanelError
from vitpanel.state.queries.diagnosis import DiagnosisPage
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.base import numbers_as_text
from vitpanel.views.component import Component
from vitpanel.views.figures.image_card import data_uri
from vitpanel.views.figures.numbers import change_text

# The words above the columns that can be sorted, and whether the largest is what is asked for first.
HEADINGS = {
    "image": ("image", False),
    "layer": ("layer", False),
    "head": ("head", False),
    "label": ("label", False),
    "predicted": ("predicted", False),
    "p_true": ("p(label)", True),
    "drop": ("drop", True),
    "rank_in_layer": ("rank in layer", False),
    "rank_in_image": ("rank in image", False),
}
_NUMBERS = ("layer", "head", "p_true", "drop", "rank_in_layer", "rank_in_image")
_LOOK = f"""
:host {{ overflow: hidden; }}
.diagnosis {{ height: 100%; display: flex; flex-direction: column; font: 12px/1.35 sans-serif; color: {css("text")}; }}
.help {{ padding: 0 8px 6px; color: {css("hint")}; max-width: 110em; }}
.frame {{ flex: 1 1 0; min-height: 0; overflow: auto; scrollbar-width: thin; border-top: 1px solid {css("muted")}; }}
.frame:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th {{ position: sticky; top: 0; z-index: 1; padding: 0; text-align: left; white-space: nowrap;
    background: {css("surface")}; box-shadow: inset 0 -1px 0 {css("muted")}; }}
th button, th span {{ display: inline-block; font: 600 12px/18px sans-serif; padding: 3px 8px; color: inherit; }}
button {{ font: inherit; color: inherit; background: none; border: 0; border-radius: 3px; cursor: pointer; }}
button:hover:enabled {{ background: {css("grid")}; }}
button:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
button:disabled {{ opacity: 0.4; cursor: default; }}
th i {{ display: inline-block; width: 1em; font-style: normal; text-align: center; }}
td {{ padding: 1px 8px; border-bottom: 1px solid {css("grid")}; white-space: nowrap; }}
.number {{ text-align: right; }}
.number button {{ padding-left: 0; }}
td.why {{ white-space: normal; min-width: 260px; width: 100%; }}
tbody tr {{ cursor: pointer; }}
tbody tr:hover {{ background: {css("grid")}; }}
tr[aria-current] {{ box-shadow: inset 4px 0 0 {css("chosen")}; font-weight: 600; }}
tr[aria-current] .why {{ font-weight: normal; }}
.row {{ display: flex; align-items: center; gap: 6px; padding: 0 4px 0 0; text-align: left; }}
.row img {{ width: 20px; height: 20px; object-fit: contain; image-rendering: pixelated; }}
.words {{ padding: 24px; text-align: center; }}
.foot {{ display: flex; align-items: center; gap: 4px; min-height: 30px; padding: 0 8px;
    border-top: 1px solid {css("muted")}; }}
.foot button {{ min-width: 28px; height: 24px; padding: 0 6px; font-size: 15px; }}
.state {{ margin-left: auto; color: {css("hint")}; }}
.late {{ animation: late 0.15s step-end; }}
@keyframes late {{ from {{ opacity: 0 }} to {{ opacity: 1 }} }}
[hidden] {{ display: none !important; }}
"""


class DiagnosisTable(Component):
    """A table of some rows, each of which can be chosen, with buttons to sort it and to go from page to page.

    What a person asks for comes as a message: ``{"choose": [image, layer, head]}``, ``{"sort": column}`` or
    ``{"page": number}``, which counts from 0.
    """

    headings = param.List(
        default=[
            {"column": column, "words": words, "is_number": column in _NUMBERS}
            for column, (words, _) in HEADINGS.items()
        ],
        doc="Columns that can be sorted, in their order.",
    )
    help = param.String(default="", doc="What is in the table and in what order.")
    # In one property, so that rows are never drawn under the order or the page of others.
    page = param.Dict(default={}, doc="Rows, pictures, order and number of the page, as `page_record` gives them.")
    words = param.String(default="", doc="Why there are no rows; empty where there are.")
    is_busy = param.Boolean(default=False, doc="Whether other rows are on their way.")
    chosen = param.List(default=[], doc="Image, layer and head that are chosen; written by the server alone.")

    _module = ("vitpanel.views.figures", "diagnosis_table.js")
    _stylesheets: ClassVar[list[str]] = [_LOOK]


def page_record(
    found: DiagnosisPage, pictures: Mapping[str, str], *, number: int, count: int, order: tuple[str | None, bool]
) -> dict[str, Any]:
    """What the table shows.

    Parameters
    ----------
    pictures
        As `row_pictures` gives them.
    number, count
        Of the page, from 0; most rows of a page.
    order
        Column that the rows are sorted by, None for the order of the preset; whether the largest comes first.
    """
    by, descending = order
    place = {"number": number, "first": number * count, "n_rows": found.n_rows, "n_pages": -(-found.n_rows // count)}
    return place | {"rows": _rows(found), "pictures": dict(pictures), "by": by or "", "descending": descending}


def row_pictures(study: Study, found: DiagnosisPage) -> dict[str, str]:
    """Thumbnails of the images of a page as data URLs, by image; without those that cannot be read."""
    pictures: dict[str, str] = {}
    for image in found.table["image"].unique().tolist():
        try:
            pictures[str(image)] = data_uri(study.thumbnail(image))
        except VitpanelError:
            continue
    return pictures


def _rows(found: DiagnosisPage) -> list[dict[str, Any]]:
    table = found.table
    texts = {column: table[column].astype(str).tolist() for column in HEADINGS}
    texts["p_true"] = numbers_as_text(table["p_true"].to_numpy(), 3)
    texts["drop"] = [change_text(drop) for drop in table["drop"]]
    places = table[["image", "layer", "head"]].to_numpy().tolist()
    return [
        {
            "place": place,
            "name": f"{short_head_name(*place[1:])} on image {place[0]}",
            "cells": [texts[column][row] for column in HEADINGS],
            "why": table["why"].iloc[row],
        }
        for row, place in enumerate(places)
    ]
