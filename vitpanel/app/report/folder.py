"""A study as a folder of pages that open without a server."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vitpanel.app.report.image_choice import first_images, image_selection
from vitpanel.app.report.look import bokeh_script, drawing_script, page_template, style
from vitpanel.app.report.pages import INDEX, image_page, index_page, page_name
from vitpanel.errors import VitpanelError
from vitpanel.state.live import LiveModel
from vitpanel.study.reader import Study

# A folder that has it was made here and may be written anew.
MARK = ".vitpanel-export"
_MARK_WORDS = "Written by `vitpanel export`, which may replace the pages and scripts in this folder.\n"
_SHARED = {"style": "style.css", "bokeh": "bokeh.min.js", "draw": "draw.js"}
_OF_AN_IMAGE = re.compile(r"image-\d+\.html")


@dataclass(frozen=True)
class Exported:
    """What an export has written.

    Parameters
    ----------
    index
        The page to open.
    n_files, n_bytes
        How many files, and their size together.
    is_again
        Whether they took the place of those of an earlier export.
    """

    index: Path
    n_files: int
    n_bytes: int
    is_again: bool


def export_study(
    study: Study, out: str | Path, *, images: Sequence[int] = (), live: LiveModel | None = None
) -> Exported:
    """Write a study as a folder of pages, which need neither a server nor a network to be read.

    Parameters
    ----------
    out
        A folder that is not there, is empty, or was written by this function before, whose pages are then replaced.
    images
        Those with a page of their own; none takes the first of the study (`first_images`).
    live
        The model, as `vitpanel.live_model` returns it; None leaves out what the study does not have.

    Raises
    ------
    VitpanelError
        If the study has no such image, or the folder cannot be written or holds what was not written here.
    """
    out, chosen = Path(out), list(dict.fromkeys(images)) or first_images(study)
    for image in chosen:
        image_selection(study, image)
    try:
        is_again = _make_room(out, study)
        sizes = [(out / name).write_bytes(text.encode()) for name, text in _files(study, chosen, live)]
    except OSError as error:
        message = f"The pages cannot be written to {out}: {error.strerror}."
        raise VitpanelError(message, hint="Name a folder that you may write to, on a disk with room.") from error
    return Exported(out / INDEX, len(sizes), sum(sizes), is_again)


def _files(study: Study, images: list[int], live: LiveModel | None) -> Iterator[tuple[str, str]]:
    """Name and text of each file, the mark first: what an interruption leaves can be written anew."""
    yield MARK, _MARK_WORDS
    texts = {"style": style(), "bokeh": bokeh_script(), "draw": drawing_script()}
    yield from ((_SHARED[key], text) for key, text in texts.items())
    template = page_template("pages.html", {f"${key}": name for key, name in _SHARED.items()})
    yield INDEX, index_page(study, images, template)
    for image in images:
        yield page_name(image), image_page(study, image, template, images=images, live=live)


def _make_room(out: Path, study: Study) -> bool:
    """Make the folder, without the pages of images of an earlier export; return whether there was one."""
    if out.resolve().is_relative_to(study.path.resolve()):
        message = f"{out} is within the study."
        raise VitpanelError(message, hint="Name a folder beside the study; a study keeps nothing but its own files.")
    out.mkdir(parents=True, exist_ok=True)
    names = [path.name for path in out.iterdir()]
    if names and MARK not in names:
        message = f"{out} is not empty, and was not written by vitpanel export."
        raise VitpanelError(message, hint="Name a folder that is empty or not there yet, or empty this one yourself.")
    for name in filter(_OF_AN_IMAGE.fullmatch, names):
        (out / name).unlink()
    return bool(names)
