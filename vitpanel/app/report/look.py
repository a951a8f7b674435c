"""What all pages share that need no server: how they look, and the scripts that draw their figures."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from bokeh.settings import settings

from vitpanel import __version__
from vitpanel.theme.palette import css_variables


def style() -> str:
    """Style sheet of a page."""
    colours = " ".join(f"{name}: {value};" for name, value in css_variables(dark=False).items())
    return _beside("report.css").replace("/* colours */", colours)


def bokeh_script() -> str:
    """Bokeh's script; `bokeh.resources` would add those of Panel, which are fetched."""
    return (settings.bokehjs_path() / "js" / "bokeh.min.js").read_text(encoding="utf-8")


def drawing_script() -> str:
    """Script that draws the figures of a page, once they are there."""
    return _beside("draw.js")


def made_words() -> str:
    """When a page was made, and by what."""
    return f"Made on {datetime.now(UTC).strftime('%d %B %Y, %H:%M UTC')} with vitpanel {__version__}."


def page_template(name: str, same: Mapping[str, str] | None = None) -> Template:
    """Page to be filled.

    Parameters
    ----------
    name
        Of its file.
    same
        What stands in every page of the kind, by the text that it takes the place of.
    """
    text = _beside(name)
    for place, words in (same or {}).items():
        text = text.replace(place, words.replace("$", "$$"))
    return Template(text)


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
