"""What is kept with a study."""

import gc
import weakref
from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.study.kept import kept_with_study
from vitpanel.study.reader import Study, open_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(write_synthetic_study(tmp_path / "a.study"))


def test_a_result_is_worked_out_once_for_each_study_and_question(study: Study):
    asked: list[tuple[Study, int, str]] = []

    @kept_with_study(4)
    def found(study: Study, number: int, *, word: str = "") -> list[int]:
        asked.append((study, number, word))
        return [number]

    other = open_study(study.path)
    assert found(study, 1) is found(study, 1)
    assert found(study, 1, word="a") is not found(study, 1)
    assert found(other, 1) is not found(study, 1)
    assert asked == [(study, 1, ""), (study, 1, "a"), (other, 1, "")]


def test_the_oldest_results_go_first(study: Study):
    asked: list[int] = []

    @kept_with_study(2)
    def found(_study: Study, number: int) -> None:
        asked.append(number)

    for number in (1, 2, 3, 2, 1):
        found(study, number)
    assert asked == [1, 2, 3, 1]


def test_nothing_is_kept_of_an_error_and_a_study_that_nobody_has_goes(study: Study):
    @kept_with_study(2)
    def found(study: Study) -> int:
        if not study.n_images:
            raise ValueError
        return study.n_images

    other = open_study(study.path)
    assert found(other) == study.n_images
    gone = weakref.ref(other)
    del other
    gc.collect()
    assert gone() is None
