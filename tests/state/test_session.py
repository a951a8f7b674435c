"""What a session takes as a choice."""

from pathlib import Path

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import ChoiceError
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(write_synthetic_study(tmp_path / "a.study"))


def sizes(study: Study) -> dict[str, int]:
    spec = study.spec
    return {"image": study.n_images, "layer": spec.n_layers, "head": spec.n_heads, "token": spec.grid.n_tokens}


@pytest.mark.parametrize("name", ["image", "layer", "head", "token"])
def test_the_last_of_a_study_can_be_chosen_and_none_after_it(study: Study, name: str):
    selection, size = Session(study).selection, sizes(study)[name]
    setattr(selection, name, size - 1)
    with pytest.raises(ChoiceError, match=f"There is no {name} {size}") as caught:
        setattr(selection, name, size)
    assert f"from 0 to {size - 1}" in caught.value.hint
    assert getattr(selection, name) == size - 1


@pytest.mark.parametrize("name", ["image", "layer", "head", "token"])
def test_a_session_refuses_a_selection_of_what_its_study_has_not(study: Study, name: str):
    with pytest.raises(ChoiceError, match=f"There is no {name}"):
        Session(study, selection=Selection(None, **{name: sizes(study)[name]}))


def test_the_limits_of_one_study_are_not_those_of_another(study: Study):
    Session(study)
    assert Selection(image=10**6).image == 10**6
