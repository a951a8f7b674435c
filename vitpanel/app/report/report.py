"""A report: what a person looks at, as one file of HTML."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from string import Template

from vitpanel.app.report.drawn import groups_html, sections_html
from vitpanel.app.report.look import bokeh_script, drawing_script, made_words, page_template, style
from vitpanel.app.report.parts import GROUPS
from vitpanel.app.report.words import again_html, brushes_html, choice_html, study_html
from vitpanel.app.study_card import study_title
from vitpanel.errors import VitpanelError
from vitpanel.state.live import LiveModel
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study
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
        self._figures: dict[str, str] = {}

    def steps(self) -> Iterator[None]:
        """Draw the figures, a little at each step, so that others are answered in between."""
        self._figures = yield from groups_html(GROUPS, self._study, self._selection, live=self._live)

    def html(self) -> str:
        """Return the page, once all steps are done."""
        study, selection = self._study, self._selection
        sections = (
            {"What is looked at": choice_html(study, selection) + again_html(study, selection)}
            | {"What is brushed": brushes_html(study, selection)}
            | self._figures
            | {"The study": study_html(study)}
        )
        return _template().substitute(
            title=escaped(study_title(study)), made=made_words(), body=sections_html(sections)
        )


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
    same = {"/* report.css */": style(), "/* bokeh.min.js */": bokeh_script(), "/* draw.js */": drawing_script()}
    return page_template("report.html", same)
