"""The page that lists the studies of a server."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import panel as pn

from vitpanel.app.page import create_frame
from vitpanel.app.study_card import images_words, model_words
from vitpanel.errors import StudyError, VitpanelError
from vitpanel.state.caption import study_name
from vitpanel.study.files import StudyFiles
from vitpanel.study.reader import Study, open_study
from vitpanel.theme.palette import css
from vitpanel.views.base import error_words, escaped

N_THUMBNAILS = 6
_LOOK = f"""
:host {{ overflow-y: auto; }}
.studies {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 12px; padding: 16px;
    margin: 0; list-style: none; font: 13px/1.5 sans-serif; color: {css("text")}; }}
.study {{ display: block; height: 100%; box-sizing: border-box; padding: 12px 16px; border-radius: 4px;
    color: inherit; text-decoration: none; background: {css("surface")}; border: 1px solid {css("muted")}; }}
a.study:hover {{ border-color: {css("value")}; }}
a.study:focus-visible {{ outline: 2px solid {css("value")}; outline-offset: 1px; }}
.study h2 {{ margin: 0 0 2px; font: 500 16px/1.3 sans-serif; overflow-wrap: anywhere; }}
.study p {{ margin: 0; overflow-wrap: anywhere; }}
.study .hint {{ color: {css("hint")}; }}
.pictures {{ display: flex; gap: 4px; margin-top: 8px; height: 44px; overflow: hidden; }}
.pictures img {{ height: 44px; border-radius: 2px; }}
"""


def find_studies(paths: Sequence[Path]) -> dict[str, Path]:
    """Studies by the last part of their address: those that are named, and all in folders of studies that are.

    Raises
    ------
    StudyError
        If one of the paths is a folder without a study, or there are no paths.
    """
    if not paths:
        message = "No study is named."
        raise StudyError(message, hint="Name a folder that vitpanel precompute has written: vitpanel serve X.study")
    found: list[Path] = []
    for path in paths:
        inside = [] if is_study(path) or not path.is_dir() else sorted(filter(is_study, path.iterdir()))
        if path.is_dir() and not inside and not is_study(path):
            message = f"{path} is not a study, and there is none in it."
            raise StudyError(message, hint="Give the folder that vitpanel precompute has written, or one with several.")
        found += inside or [path]
    studies: dict[str, Path] = {}
    for path in dict.fromkeys(path.resolve() for path in found):
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "study"
        taken = sum(other == slug or other.startswith(f"{slug}-") for other in studies)
        studies[f"{slug}-{taken + 1}" if taken else slug] = path
    return studies


def is_study(path: Path) -> bool:
    """Whether a folder has a study."""
    return StudyFiles(path).manifest.exists()


def create_start_page(studies: dict[str, Path]) -> pn.Column:
    """Return a page with a card for each study, which leads to its page; a damaged one says why.

    Parameters
    ----------
    studies
        By the last part of their address.
    """
    cards = "".join(f"<li>{_card(slug, path)}</li>" for slug, path in studies.items())
    html = f'<ul class="studies">{cards}</ul>'
    return create_frame("vitpanel", [pn.pane.HTML(html, stylesheets=[_LOOK], sizing_mode="stretch_both", margin=0)])


def _card(slug: str, path: Path) -> str:
    try:
        study = open_study(path)
        pictures = _pictures(study)
    except VitpanelError as error:
        words = f'<p role="alert">{error_words(f"{error.message} {error.hint}")}</p>'
        return f'<div class="study"><h2>{escaped(path.stem)}</h2>{words}</div>'
    lines = [model_words(study), *images_words(study)]
    words = "".join(f"<p>{escaped(line)}</p>" for line in lines)
    state = "" if study.is_finished else '<p class="hint">not finished</p>'
    # Relative, since a proxy may know the page by another address.
    heading = f"<h2>{escaped(study_name(study))}</h2>"
    return f'<a class="study" href="./{slug}">{heading}{words}{state}{pictures}</a>'


def _pictures(study: Study) -> str:
    """Thumbnails of images from all over the study."""
    done = np.flatnonzero(study.done_images)
    chosen = done[np.unique(np.linspace(0, len(done) - 1, N_THUMBNAILS).astype(int))] if len(done) else done
    data = (base64.b64encode(study.thumbnail(int(image))).decode() for image in chosen)
    images = "".join(f'<img alt="" src="data:image/webp;base64,{text}">' for text in data)
    return f'<div class="pictures">{images}</div>'
