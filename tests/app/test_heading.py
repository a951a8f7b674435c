"""What stands at the left of the page's header."""

from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.app.heading import Heading, StudyHeading
from vitpanel.app.study_card import first_facts
from vitpanel.app.trust_badge import TrustBadge
from vitpanel.state.first_values import first_values, why_first
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(write_synthetic_study(tmp_path / "x.study", n_layers=2, n_heads=3))


def test_the_line_says_why_until_something_else_is_chosen(study: Study):
    selection = Selection(study)
    heading, first = StudyHeading(Session(study, selection=selection)), first_values(study)
    name = f"L{first['layer']} H{first['head']}"
    line = f"{name}, the most important head, on image {first['image']}, which needs it most"
    assert line in heading.object
    selection.metric = "jsd"
    assert line in heading.object
    selection.image = (first["image"] + 1) % study.n_images
    assert "<p" not in heading.object


def test_an_address_that_asks_for_something_else_has_no_line(study: Study):
    other = (first_values(study)["head"] + 1) % 3
    heading = StudyHeading(Session(study, selection=Selection(study, head=other)))
    assert "<p" not in heading.object


def test_the_line_comes_when_a_study_knows_what_matters(study: Study, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("vitpanel.app.heading.first_values", lambda _: {"pattern": "offset"})
    heading = StudyHeading(Session(study))
    assert "<p" not in heading.object
    monkeypatch.undo()
    heading.renew(study)
    assert "the most important head" in heading.object


def test_the_card_says_by_which_metric(study: Study):
    why, how = first_facts(study)["Shown first"]
    assert why == why_first(first_values(study))
    assert how.startswith("importance by Probability:")
    assert why in TrustBadge(study).button.text


def test_no_importance_gives_no_reason():
    assert why_first({"pattern": "offset"}) == ""


def test_what_comes_from_files_is_escaped():
    heading = Heading("<b>", line='"<i>"')
    assert "<b>" not in heading.object
    assert "<i>" not in heading.object
