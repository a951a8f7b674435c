"""The badge in the header: what it says, and that it opens."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeInference
from tests.synthetic import write_synthetic_study
from vitpanel.app.trust_badge import TrustBadge, badge_figures, badge_label
from vitpanel.core.trust import ATTENTION_ARRAYS, Check
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.manifest import Manifest
from vitpanel.study.reader import Study, open_study

GOOD = Check("heads", 3, 3, True, "Each layer gives 3 matrices.", "all views")  # noqa: FBT003
BAD = Check("row_sum_error", 0.5, 1e-4, False, "Sums <differ>.", "C & D", ATTENTION_ARRAYS)  # noqa: FBT003
PROBE: dict[str, Any] = {"kind": "probe", "n_train": 60, "n_test": 20, "accuracy_train": 1.0, "accuracy_test": 0.85}


def checked_study(path: Path, checks: list[Check], *, head: dict[str, Any] | None = None) -> Study:
    """Write a study whose manifest has these checks."""
    write_synthetic_study(path)
    manifest = Manifest.read(path)
    records = {check.name: check.to_dict() for check in checks}
    replace(manifest, checks=records, model=manifest.model | {"head": head or {}}).write(path)
    return open_study(path)


@pytest.mark.parametrize(
    ("checks", "head", "label"),
    [
        ([GOOD], {}, "✓ 1 of 1 checks passed"),
        ([GOOD, BAD], {}, "! 1 of 2 checks passed"),
        ([], {}, "! not checked"),
        ([GOOD], PROBE, "✓ 1 of 1 checks passed · classes by a probe, 85% right on held-out images"),
        ([GOOD], {"kind": "head", "file": "a.safetensors"}, "✓ 1 of 1 checks passed · classes by a given head"),
    ],
)
def test_the_label_says_how_many_passed_and_whose_the_classes_are(
    checks: list[Check], head: dict[str, Any], label: str
):
    assert badge_label(checks, head) == label


def test_the_figures_are_all_there_and_escaped():
    html = badge_figures([GOOD, BAD], PROBE)
    assert "Each layer gives 3 matrices." in html
    assert "Sums &lt;differ&gt;." in html
    assert "Off: C &amp; D" in html
    assert "85.0% of 20 held out" in html
    assert "<differ>" not in html
    assert "kept no checks" in badge_figures([], {})


def test_what_was_unusual_about_the_images_is_said_and_escaped():
    html = badge_figures([GOOD], {}, remarks=["3 files were <turned>."])
    assert "<p>3 files were &lt;turned&gt;.</p>" in html


def test_a_study_shows_its_own_checks(tmp_path: Path):
    badge = TrustBadge(checked_study(tmp_path / "a.study", [GOOD, BAD], head=PROBE))
    assert badge.label.startswith("! 1 of 2")
    assert "This study" in badge.button.text
    assert "1 of 2" in badge.label


def test_what_a_failed_check_decides_is_not_read_and_says_why(tmp_path: Path):
    study = checked_study(tmp_path / "a.study", [GOOD, BAD])
    for name in set(ATTENTION_ARRAYS) - {"attention"}:
        assert name not in study
        assert study.reason(name) == BAD.sentence
    assert study.attention_reason == BAD.sentence
    assert "importance/jsd" in study
    assert "layout/images" in study


def test_no_picture_of_attention_is_asked_for_where_its_check_failed(tmp_path: Path):
    study = checked_study(tmp_path / "a.study", [GOOD, BAD])
    inference = FakeInference(study.spec)
    session = Session(study, selection=Selection(image=3), inference=inference)
    inference.is_prompt = False
    session.wants_atlas = True
    session.selection.image = 4
    assert list(inference.waiting) == ["modes"]
    for shown in (session.attention, session.atlas):
        assert (shown.status, shown.message) == ("idle", BAD.sentence)
