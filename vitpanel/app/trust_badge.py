"""A small badge: how far the study can be trusted, with the figures and the study's card behind a click."""

import re
from collections.abc import Iterable
from typing import Any

import panel as pn

from vitpanel.app.study_card import facts_html, first_facts, study_facts
from vitpanel.core.trust import Check, read_checks
from vitpanel.study.image_words import remark_lines
from vitpanel.study.reader import Study
from vitpanel.study.summary import head_words
from vitpanel.views.base import escaped
from vitpanel.views.popover import Popover

NAMES = {
    "attention_modules": "All attention matrices found",
    "fused_difference": "Reading the attention leaves the output unchanged",
    "row_sum_error": "Attention of each token sums to 1",
    "tokens": "Attention covers all tokens",
    "heads": "One matrix for each head",
    "class_head": "The class head is understood",
}


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
        self._checks = figures
        self.button = Popover(
            mark=self.label,
            label=f"{self.label}. Click for this study's card and the checks that its numbers can be trusted.",
            text=self.figures(study),
            margin=(0, 8),
            styles={"color": "white"},
        )

    def figures(self, study: Study) -> str:
        """Card of a study and the figures of its checks, as HTML."""
        return f"<h2>This study</h2>{facts_html(study_facts(study) | first_facts(study))}{self._checks}"

    def renew(self, study: Study) -> None:
        """Say what the same study has now."""
        self.button.text = self.figures(study)

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the button."""
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
    off = f"<b style='display: block'>Off: {escaped(check.views)}</b>"
    return f"<tr><td><b>! {name}</b></td><td>{sentence}{off}</td></tr>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
