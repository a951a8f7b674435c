"""What a person looks at, as a value that others share."""

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import ChoiceError, VitpanelError
from vitpanel.state.brush import Ids, InPolygon, InRange, OfClass
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("selection") / "a.study"))


def test_what_is_not_said_is_where_a_page_starts(study: Study):
    start, selection = Session(study).selection, Selection(study, image=5)
    assert selection.image == 5
    assert selection.chosen_head == start.chosen_head
    assert (selection.metric, selection.pattern) == (start.metric, start.pattern)


@pytest.mark.parametrize("values", [{"image": 12}, {"image": -1}, {"layer": 2}, {"head": 3}, {"token": 17}])
def test_what_the_study_does_not_have_is_refused_with_what_there_is(study: Study, values: dict[str, int]):
    (name, value), last = *values.items(), {"image": 11, "layer": 1, "head": 2, "token": 16}
    with pytest.raises(ChoiceError, match=f"There is no {name} {value}") as caught:
        Selection(study, **values)
    if value > 0:
        assert f"to {last[name]}" in caught.value.hint
    with pytest.raises(VitpanelError):
        setattr(Selection(study), name, value)


def test_without_a_study_any_image_can_be_chosen_until_the_selection_is_shown(study: Study):
    selection = Selection(image=12)
    with pytest.raises(ChoiceError, match="no image 12"):
        Session(study, selection=selection)
    with pytest.raises(ChoiceError, match="no image -1"):
        Selection(image=-1)


def test_watchers_hear_of_a_choice_made_from_code(study: Study):
    selection, heard = Selection(study, image=1), []
    selection.param.watch(lambda event: heard.append(event.new), "image")
    selection.image = 7
    assert heard == [7]


def test_brushes_and_jumps_are_those_of_all_who_share_the_selection(study: Study):
    first = Session(study)
    second = Session(study, selection=first.selection)
    first.selection.mark(Ids((1, 4)))
    first.selection.jump(3, 1, 2)
    first.selection.jump(8, 0, 0)
    assert second.brushed is not None
    assert second.brushed.nonzero()[0].tolist() == [1, 4]
    second.selection.go_back()
    assert (first.selection.image, *first.chosen_head) == (3, 1, 2)


def test_a_brush_goes_where_its_items_are(study: Study):
    selection = Selection(study)
    images, tokens = OfClass("class 0"), Ids((3,), "token")
    heads = InPolygon("layout/offset", (0, 1, 1), (0, 0, 1))
    for brush in (images, heads, tokens):
        selection.mark(brush)
    assert (selection.images, selection.heads, selection.tokens) == (images, heads, tokens)
    more = InRange("entropy", low=0.2, item="head")
    selection.mark(more, how="add")
    assert selection.heads == heads | more


def test_a_copy_has_the_limits_of_its_model_and_is_linked_to_nothing(study: Study):
    selection = Selection(study, image=2)
    copy = selection.but(layer=1, metric="cls")
    selection.image = 9
    assert (copy.image, copy.layer, copy.metric) == (2, 1, "cls")
    with pytest.raises(ChoiceError, match="no head 3"):
        selection.but(head=3)
