"""D1: heads that stand for a cluster, as buttons that show their images."""

from typing import Any, ClassVar

import param

from vitpanel.core.spec import head_name, short_head_name
from vitpanel.errors import VitpanelError
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.component import Component
from vitpanel.views.figures.image_card import data_uri

_STYLE = f"""
.examples {{ display: grid; grid-template-columns: repeat(3, 1fr); }}
.examples button {{ all: unset; cursor: pointer; height: 41px; text-align: center; font: 9.5px/12px sans-serif;
  color: {css("value")}; white-space: nowrap; }}
.examples img {{ display: block; height: 27px; max-width: 36px; margin: 1px auto 0; object-fit: contain;
  image-rendering: pixelated; }}
.examples button:hover {{ background: {css("grid")}; }}
.examples button:focus-visible {{ box-shadow: 0 0 0 2px {css("value")}; border-radius: 2px; }}
"""


class ExampleHeads(Component):
    """Buttons in two rows; a click sends ``{"choose": [image, layer, head]}`` of the one that is seen."""

    heads = param.List(default=[], doc="Heads shown, each a dictionary as `example_columns` gives it.")

    _module = ("vitpanel.views.figures", "example_heads.js")
    _stylesheets: ClassVar[list[str]] = [_STYLE]


def example_columns(study: Study, examples: tuple[tuple[int, int, int], ...]) -> list[dict[str, Any]]:
    """What the buttons show of heads, each image, layer and head; no picture where it cannot be read."""
    return [
        {
            "head": [image, layer, head],
            "name": short_head_name(layer, head),
            "words": f"Go to {head_name(layer, head)} on image {image}",
            "picture": _picture(study, image),
        }
        for image, layer, head in examples
    ]


def _picture(study: Study, image: int) -> str:
    try:
        return data_uri(study.thumbnail(image))
    except VitpanelError:
        return ""
