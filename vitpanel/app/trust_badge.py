"""A small badge: how far the study can be trusted, with the figures and the study's card behind a click."""

import re
from collections.abc import Iterable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from vitpanel.app.study_card import facts_html, study_facts
from vitpanel.core.trust import Check, read_checks
from vitpanel.study.image_words import remark_lines
from vitpanel.study.reader import Study
from vitpanel.study.summary import head_words
from vitpanel.views.base import escaped

WIDTH = 560
NAMES = {
    "attention_modules": "All attention matrices found",
    "fused_difference": "Reading the attention leaves the output unchanged",
    "row_sum_error": "Attention of each token sums to 1",
    "tokens": "Attention covers all tokens",
    "heads": "One matrix for each head",
    "class_head": "The class head is understood",
}
_STYLE = """
    :host { color: inherit; font: 13px/1.4 sans-serif; }
    table { border-collapse: collapse; }
    td { padding: 3px 12px 3px 0; vertical-align: top; }
    td:first-child { min-width: 64px; }
    h2 { margin: 10px 0 4px; font-size: 14px; }
    h2:first-child { margin-top: 0; }
    p { margin: 0 0 6px 0; }
    .off { display: block; }
"""


class TrustBadge(pn.viewable.Viewer):
    """A button that says how many trust checks passed, and opens the study's card with their figures.

    Parameters
    ----------
    study
        Its manifest has the checks, and says whether a linear head stands on the model's features.
    """

    def __init__(self, study: Study, **params: Any) -> None:
        super().__init__(**params)
        head = study.manifest.model.get("head") or {}
        checks = read_checks(study.manifest.checks)
        self.label = badge_label(checks, head)
        figures = badge_figures(checks, head, remarks=remark_lines(study.manifest.images))
        self.figures = f"<h2>This study</h2>{facts_html(study_facts(study))}{figures}"
        self.popup = pmui.Popup(
            pn.pane.HTML(self.figures, stylesheets=[_STYLE], width=WIDTH, margin=12),
            anchor_origin={"horizontal": "left", "vertical": "bottom"},
            close_on_click=True,
        )
        self.button = pmui.Button(
            label=self.label,
            # The description is what a screen reader is given as the button's name.
            description=f"{self.label}. Click for this study's card and the checks that its numbers can be trusted.",
            variant="outlined",
            color="light",
            size="small",
            attached=[self.popup],
            on_click=lambda _event: self.popup.param.update(open=True),
            sx={"paddingTop": 0, "paddingBottom": 0},
            margin=(0, 8),
        )

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the button; the popup is attached to it."""
        return self.button


def badge_label(checks: list[Check], head: dict[str, Any]) -> str:
    """Words of the button: how many checks passed, and that the classes are a probe's or a given head's."""
    n_passed = sum(check.passed for check in checks)
    sign = "✓" if checks and n_passed == len(checks) else "!"
    label = f"{sign} {n_passed} of {len(checks)} checks passed" if checks else f"{sign} not checked"
    if head.get("kind") == "probe":
        return f"{label} · classes by a probe, {head['accuracy_test']:.0%} right on held-out images"
    return f"{label} · classes by a given head" if head else label


def badge_figures(checks: list[Check], head: dict[str, Any], *, remarks: Iterable[str] = ()) -> str:
    """Table of all checks as HTML, with what those that failed turn off, and what was unusual about the images."""
    words = f"<p>The class head is not the model's own. {escaped(_capital(head_words(head)))}.</p>" if head else ""
    words = f"<h2>Checks that the numbers can be trusted</h2>{words}"
    noted = "".join(f"<p>{escaped(line)}</p>" for line in remarks)
    if not checks:
        return f"{words}<p>The study was made by a version that kept no checks.</p>{noted}"
    rows = "".join(_row(check) for check in checks)
    return f"{words}<p>Measured on one image when the study was made.</p><table>{rows}</table>{noted}"


def _row(check: Check) -> str:
    # A minus does not let a line end within a number, as the hyphen of 3.6e-07 does.
    words = re.sub(r"(\d)e-0?(\d)", r"\1e−\2", check.sentence)
    name, sentence = escaped(NAMES.get(check.name, check.name)), escaped(words)
    if check.passed:
        return f"<tr><td>✓ {name}</td><td>{sentence}</td></tr>"
    return f"<tr><td><b>! {name}</b></td><td>{sentence}<b class='off'>Off: {escaped(check.views)}</b></td></tr>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
