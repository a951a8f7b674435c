"""A report: what a person looks at, as one file of HTML."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from string import Template
from urllib.parse import urlencode

from bokeh.settings import settings

from vitpanel import __version__
from vitpanel.app.report.drawn import part_html
from vitpanel.app.report.parts import GROUPS
from vitpanel.app.report.words import brushes_html, choice_html, study_html
from vitpanel.app.study_card import study_title
from vitpanel.errors import VitpanelError
from vitpanel.state.as_code import script
from vitpanel.state.live import LiveModel
from vitpanel.state.saved_state import starting_values
from vitpanel.state.selection import Selection
from vitpanel.state.url import to_query
from vitpanel.study.reader import Study
from vitpanel.theme.palette import css_variables
from vitpanel.views.base import escaped

SUFFIX = ".html"


class Report:
    """One page of what is chosen and brushed, its figures and numbers, and what the study is.

    Parameters
    ----------
    study
        What it is of.
    selection
        What is looked at when this is made; later changes do not count.
    live
        The model; None leaves out what the study does not have.
    """

    def __init__(self, study: Study, selection: Selection, *, live: LiveModel | None = None) -> None:
        self._study, self._selection, self._live = study, selection.but(), live
        self._groups: dict[str, list[str]] = {}

    def steps(self) -> Iterator[None]:
        """Draw the figures, a little at each step, so that others are answered in between."""
        for heading, parts in GROUPS.items():
            drawn = self._groups.setdefault(heading, [])
            for part in parts:
                key = f"figure-{len(self._groups)}-{len(drawn)}"
                drawn.append((yield from part_html(part, self._study, self._selection, live=self._live, key=key)))

    def html(self) -> str:
        """Return the page, once all steps are done."""
        study, selection = self._study, self._selection
        brushes = brushes_html(study, selection)
        figures = {heading: f'<div class="figures">{"".join(drawn)}</div>' for heading, drawn in self._groups.items()}
        sections = (
            {"What is looked at": choice_html(study, selection) + self._again()}
            | ({"What is brushed": brushes} if brushes else {})
            | figures
            | {"The study": study_html(study)}
        )
        body = "".join(f"<section><h2>{heading}</h2>{text}</section>" for heading, text in sections.items())
        now = datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC")
        return _template().substitute(
            title=escaped(study_title(study)),
            made=f"Made on {now} with vitpanel {__version__}.",
            body=body,
        )

    def _again(self) -> str:
        """How to see the same in the app and in a notebook."""
        study, selection = self._study, self._selection
        said = to_query(selection, study=study, start=starting_values(Selection(study)))
        address = escaped(f"?{urlencode(said)}" if said else "the plain address")
        lines = escaped(script(study, selection, "vitpanel.explore(study, selection=selection)"))
        serve = escaped(f"vitpanel serve {study.path.resolve().name}")
        app = f"<p>In the app, <code>{serve}</code>, with this at the end of the address: <code>{address}</code></p>"
        return f"<details><summary>See the same again</summary>{app}<p>In a notebook:</p><pre>{lines}</pre></details>"


def write_report(
    study: Study, path: str | Path, *, selection: Selection | None = None, live: LiveModel | None = None
) -> Path:
    """Write a report to a file, which needs neither a server nor a network to be read.

    Parameters
    ----------
    path
        Ends in ``.html``; a file that is there is replaced.
    selection
        What is looked at; None takes what a page of the study starts with.
    live
        The model, as `vitpanel.live_model` returns it; None leaves out what the study does not have.

    Returns
    -------
    The path.

    Raises
    ------
    VitpanelError
        If the file cannot be written, or its name has another ending.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        message = f"A report cannot be written to {path.name}."
        raise VitpanelError(message, hint=f"Give the file the ending {SUFFIX}.")
    report = Report(study, Selection(study) if selection is None else selection.fit(study), live=live)
    for _ in report.steps():
        pass
    try:
        path.write_text(report.html(), encoding="utf-8")
    except OSError as error:
        message = f"The report cannot be written to {path}: {error.strerror}."
        raise VitpanelError(message, hint="Name a file in a folder that is there and that you may write to.") from error
    return path


@lru_cache(maxsize=1)
def _template() -> Template:
    """Page with all that is the same in every report: the look, and Bokeh's scripts."""
    text = Path(__file__).with_name("report.html").read_text(encoding="utf-8")
    colours = " ".join(f"{name}: {value};" for name, value in css_variables(dark=False).items())
    # `bokeh.resources` would add the scripts of Panel, which are fetched.
    bokeh = (settings.bokehjs_path() / "js" / "bokeh.min.js").read_text(encoding="utf-8").replace("$", "$$")
    return Template(text.replace("/* colours */", colours).replace("/* bokeh.min.js */", bokeh))
