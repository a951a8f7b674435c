"""Images on which a number of the chosen head is least, largest and in between, to choose from."""

from collections.abc import Callable
from typing import Any, ClassVar

import param

from vitpanel.state.queries.image_numbers import ImageNumbers, percentile_table
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css
from vitpanel.views.component import Component
from vitpanel.views.figures.image_card import is_crisp, thumbnail_uri
from vitpanel.views.image_legend import number_text


class ImageExamples(Component):
    """A few images from the least to the largest number, each a button.

    Parameters
    ----------
    on_choose
        Is given the image that is pressed.
    """

    caption = param.String(default="", doc="What a screen reader calls them together.")
    examples = param.List(default=[], doc="Records of the images, as `image_examples.js` has them.")
    chosen = param.Integer(default=-1, doc="Image that is marked, -1 for none.")
    is_crisp = param.Boolean(default=False, doc="Whether pictures are so small that they would blur.")

    _module = ("vitpanel.views", "image_examples.js")
    _stylesheets: ClassVar[list[str]] = [
        f"""
    .examples {{ display: flex; justify-content: space-between; gap: 2px; height: 100%; padding: 0 4px 2px;
        box-sizing: border-box; font: 10px/11px sans-serif; color: {css("text")}; }}
    button {{ flex: 1 1 0; min-width: 0; display: grid; justify-items: center; align-content: start; gap: 1px;
        padding: 2px 0; font: inherit; color: inherit; background: none; border: 0; border-radius: 4px;
        cursor: pointer; }}
    button:hover {{ background: {css("grid")}; }}
    button:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: -2px; }}
    img {{ width: 36px; height: 36px; object-fit: contain; background: {css("grid")};
        outline: 1px solid {css("muted")}; }}
    img.crisp {{ image-rendering: pixelated; }}
    button[aria-pressed="true"] img {{ outline: 2px solid {css("chosen")}; }}
    button[aria-pressed="true"] {{ font-weight: 600; }}
    span {{ color: {css("hint")}; }}
    b {{ font-weight: inherit; }}
"""
    ]

    def __init__(self, on_choose: Callable[[int], object], **params: Any) -> None:
        super().__init__(**params)
        self._on_choose = on_choose

    def show_numbers(self, study: Study, numbers: ImageNumbers | None) -> None:
        """Show the images of a number, none without one."""
        if numbers is None:
            self.examples = []
            return
        rows = percentile_table(numbers.per_image).itertuples(index=False)
        self.param.update(
            caption=f"From the least to the largest: {numbers.title}",
            examples=[_example(study, numbers, *row) for row in rows],
            is_crisp=is_crisp(study),
        )

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data.get("image") in {example["image"] for example in self.examples}:
            self._on_choose(int(data["image"]))


def _example(study: Study, numbers: ImageNumbers, percent: int, image: int, value: float) -> dict[str, Any]:
    """Image at a place in the order of its numbers, as `ImageExamples` takes it."""
    text, image = number_text(numbers, value), int(image)
    return {
        "image": image,
        "share": f"{percent} %",
        "number": text,
        "label": f"Image {image}, at {percent} % from the least to the largest. {numbers.title}: {text}",
        "picture": thumbnail_uri(study, image),
    }
