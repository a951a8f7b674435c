"""Finding images by what a person types: an id, or part of a file or class name."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pandas as pd

from vitpanel.errors import VitpanelError
from vitpanel.study.reader import Study

MOST_SHOWN = 30
_BETWEEN = " · "


def image_text(study: Study, image: int) -> str:
    """Line by which an image is offered, which `find_image` understands: id, class and file."""
    row = study.images.iloc[image]
    return _BETWEEN.join(str(part) for part in (image, row["label_name"], row["file"]) if part != "")


def matching_images(study: Study, text: str, *, most: int = MOST_SHOWN) -> tuple[list[int], int]:
    """Images whose id begins with a text, then those whose class or file has it in its name, upper or lower case.

    Returns
    -------
    The first ``most`` of them, and of how many images class or file has the text in its name.
    """
    text = text.strip()
    if not text:
        return [], 0
    named = np.flatnonzero(images_named(study.images, text))
    found = dict.fromkeys(islice(_ids_beginning_with(text, study.n_images), most))
    found |= dict.fromkeys(named[:most].tolist())
    return list(found)[:most], len(named)


def find_image(study: Study, text: str) -> int | None:
    """Return the image that a text means: its id, the one that matches, or none for an empty text.

    Raises
    ------
    VitpanelError
        If there is no such image, or several match; the hint says what can be typed.
    """
    text = text.strip()
    way = f"Type an image id from 0 to {study.n_images - 1}, or part of a file or class name."
    known = f"{way} Leave it empty for all images."
    first = text.split(_BETWEEN)[0]
    if not text:
        return None
    if first.isdecimal():
        if int(first) >= study.n_images:
            message = f"There is no image {int(first)}."
            raise VitpanelError(message, hint=known)
        return int(first)
    matches = np.flatnonzero(images_named(study.images, text))
    if len(matches) == 1:
        return int(matches[0])
    if len(matches):
        message = f"{len(matches)} images match {text!r}."
        raise VitpanelError(message, hint="Choose one from the list, or type more.")
    message = f"No image matches {text!r}."
    raise VitpanelError(message, hint=known)


def _ids_beginning_with(text: str, n_images: int) -> Iterator[int]:
    """Ids in ascending order whose digits begin with those of a text."""
    if not text.isdecimal() or str(int(text)) != text:
        return
    for n_more in range(len(str(n_images))):
        first, last = int(text) * 10**n_more, (int(text) + 1) * 10**n_more
        yield from range(max(first, 10**n_more if n_more else 0), min(last, n_images))


def images_named(images: pd.DataFrame, text: str) -> np.ndarray:
    """Which images have a text in the name of their file or class, upper or lower case; bool ``(n_images,)``."""
    columns = [images[name].str.contains(text, case=False, regex=False) for name in ("file", "label_name")]
    return (columns[0] | columns[1]).to_numpy()
