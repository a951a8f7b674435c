"""Elements as files: HTML that needs no network, and PNG as a browser paints it."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import holoviews as hv
import numpy as np
from PIL import Image

from vitpanel.errors import VitpanelError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Wide enough for a row of charts; what stays white is cut off.
WINDOW = (2400, 1800)
MARGIN = 8
_ICON = re.compile(r'<link rel="(apple-touch-)?icon"[^>]*>')
_QUIET = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync")
_SECONDS = 120
# Of the page's own clock, which runs ahead while nothing is to be done.
_MILLISECONDS = 10_000


def save(element: Any, path: str | Path, *, scale: float = 1) -> None:
    """Write an element, or a layout of several, to a file.

    ``hv.save`` writes HTML too, but for PNG it needs selenium.

    Parameters
    ----------
    path
        Ends in ``.html``, which works without a network, or ``.png``.
    scale
        Pixels of the PNG for each on the screen.

    Raises
    ------
    VitpanelError
        If the ending is another one, or there is no Chromium or Chrome to paint the PNG.
    """
    path = Path(path)
    if path.suffix == ".html":
        _write_page(element, path)
    elif path.suffix == ".png":
        _paint(element, path, scale)
    else:
        message = f"{path.name} cannot be written."
        raise VitpanelError(message, hint="Give the file the ending .html or .png.")


def _write_page(element: Any, path: Path) -> None:
    hv.save(element, path, fmt="html", backend="bokeh", resources="inline")
    # Panel's page fetches its icon from the internet.
    path.write_text(_ICON.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")


def _paint(element: Any, path: Path, scale: float) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        message = f"{path.name} cannot be painted: there is no Chromium or Chrome on the PATH."
        raise VitpanelError(message, hint="Install one, or save the element as .html.")
    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder, "page.html"), Path(folder, "page.png")
        _write_page(element, page)
        options = [
            f"--user-data-dir={folder}/profile",
            f"--screenshot={picture}",
            f"--window-size={WINDOW[0]},{WINDOW[1]}",
            f"--force-device-scale-factor={scale}",
            f"--virtual-time-budget={_MILLISECONDS}",
        ]
        done = subprocess.run(  # noqa: S603 - the browser that is on the person's own PATH, and a page of ours
            [browser, *_QUIET, *options, page.as_uri()], capture_output=True, check=False, timeout=_SECONDS
        )
        if not picture.exists():
            message = f"{Path(browser).name} painted nothing and ended with code {done.returncode}."
            raise VitpanelError(message, hint="Save the element as .html.")
        with Image.open(picture, formats=["PNG"]) as painted:
            _cut(painted.convert("RGB"), round(MARGIN * scale)).save(path, "PNG")


def _cut(picture: Image.Image, margin: int) -> Image.Image:
    """The picture without what is white around it, but for a margin."""
    rows, columns = (np.flatnonzero((np.asarray(picture) < 255).any(axis=(axis, 2))) for axis in (1, 0))  # noqa: PLR2004
    if not len(rows):
        return picture
    box = (columns[0] - margin, rows[0] - margin, columns[-1] + 1 + margin, rows[-1] + 1 + margin)
    return picture.crop((max(box[0], 0), max(box[1], 0), min(box[2], picture.width), min(box[3], picture.height)))
