"""What was chosen, undone and done again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import Ids, OfClass
from vitpanel.state.change_words import LONGEST, change_words
from vitpanel.state.history import MOST_CHOICES, SAME_ACT, History
from vitpanel.state.saved_state import FIELDS
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study, open_study

NAMES = [*FIELDS, "jumps"]


class Clock:
    """A clock that somebody turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("history") / "a.study"))


@pytest.fixture
def selection(study: Study) -> Selection:
    return Selection(study, image=1, layer=0, head=0, metric="jsd")


def values(selection: Selection) -> dict[str, Any]:
    return {name: getattr(selection, name) for name in NAMES}


def test_a_new_selection_has_nothing_to_undo_or_redo(selection: Selection):
    before = values(selection)
    assert not selection.undo()
    assert not selection.redo()
    assert selection.history.before is selection.history.after is None
    assert values(selection) == before


def test_every_choice_is_undone_and_done_again(selection: Selection):
    acts: list[Any] = [
        lambda: selection.param.update(image=5),
        lambda: selection.choose_head(1, 2),
        lambda: selection.param.update(metric="cls", mode=3),
        lambda: selection.param.update(threshold=0.2),
        lambda: selection.pin(0, 1),
        lambda: selection.mark(OfClass("class 0")),
        lambda: selection.mark(Ids(((0, 1),), "head")),
        lambda: selection.mark(Ids((3, 4), "token")),
        lambda: selection.keep("mine", OfClass("class 0")),
        lambda: selection.hold_against("mine"),
        lambda: selection.param.update(viewport=(0.0, 1.0, 2.0, 3.0)),
        lambda: selection.param.update(pattern="cls"),
        lambda: selection.jump(2, 0, 1),
        selection.go_back,
        lambda: selection.forget("mine"),
        lambda: selection.param.update(colouring="correct", image_layout="jsd", density=False, cloud=True),
    ]
    states = [values(selection)]
    for act in acts:
        act()
        assert values(selection) != states[-1]
        states.append(values(selection))
    assert len(selection.history.choices) == len(states)
    for state in reversed(states[:-1]):
        assert selection.undo()
        assert values(selection) == state
    assert not selection.undo()
    for state in states[1:]:
        assert selection.redo()
        assert values(selection) == state
    assert not selection.redo()


def test_a_choice_after_an_undo_takes_the_place_of_what_was_undone(selection: Selection):
    for image in (2, 3, 4):
        selection.image = image
    selection.undo()
    selection.undo()
    selection.image = 9
    assert [choice.values["image"] for choice in selection.history.choices] == [1, 2, 9]
    assert not selection.redo()
    selection.undo()
    assert selection.image == 2


def test_a_drag_is_one_step_and_a_later_one_another(study: Study):
    selection, clock = Selection(study, threshold=0.01), Clock()
    history = History(selection, NAMES, clock=clock)
    for threshold in (0.1, 0.2, 0.3):
        selection.threshold = threshold
        clock.now += SAME_ACT / 2
    clock.now += SAME_ACT
    selection.threshold = 0.4
    selection.image = 7
    selection.threshold = 0.5
    assert [choice.values["threshold"] for choice in history.choices] == [0.01, 0.3, 0.4, 0.4, 0.5]
    history.undo()
    selection.threshold = 0.6
    assert history.present.values["threshold"] == 0.6, "what follows an undo is no part of the act before"
    history.undo()
    assert selection.threshold == 0.4


def test_a_drag_that_ends_where_it_began_is_no_step(study: Study):
    selection, clock = Selection(study), Clock()
    history = History(selection, NAMES, clock=clock)
    for viewport in ((0.0, 1.0, 0.0, 1.0), (0.0, 2.0, 0.0, 2.0), None):
        selection.viewport = viewport
    assert history.before is None
    assert len(history.choices) == 1


def test_discrete_choices_are_steps_however_quick_unless_a_key_is_held(study: Study):
    selection, clock = Selection(study, image=0, layer=0), Clock()
    history = History(selection, NAMES, clock=clock)
    selection.image = 1
    selection.image = 2
    assert [choice.values["image"] for choice in history.choices] == [0, 1, 2]
    with history.held():
        for image in (3, 4, 5):
            selection.image = image
            clock.now += 10
        selection.layer = 1
    assert [choice.values["image"] for choice in history.choices] == [0, 1, 5, 5]


def test_as_many_steps_are_kept_as_there_is_room_for(selection: Selection):
    n_images = 12
    for number in range(MOST_CHOICES + 20):
        selection.image = number % (n_images - 1)
    n_undone = 0
    while selection.undo():
        n_undone += 1
    assert n_undone == MOST_CHOICES


def test_a_jump_is_one_step_with_the_way_back(selection: Selection):
    selection.jump(4, 1, 1)
    assert len(selection.history.choices) == 2
    selection.undo()
    assert (selection.image, selection.jumps) == (1, [])
    selection.redo()
    selection.go_back()
    assert (selection.image, selection.jumps) == (1, [])
    selection.undo()
    assert (selection.image, selection.jumps) == (4, [(1, 0, 0)])


def test_one_can_go_to_any_step_that_is_remembered(selection: Selection):
    for image in (2, 3, 4):
        selection.image = image
    numbers = [choice.number for choice in selection.history.choices]
    assert selection.history.go_to(numbers[1])
    assert selection.image == 2
    assert selection.history.go_to(numbers[3])
    assert selection.image == 4
    assert not selection.history.go_to(999)
    assert selection.image == 4


def test_watchers_hear_once_and_find_the_history_there(selection: Selection):
    heard: list[tuple[int, str]] = []
    selection.param.watch(lambda *events: heard.append((len(events), selection.history.present.words)), NAMES)
    selection.choose_pattern(3, 1, 2)
    selection.undo()
    assert heard == [(3, "image 1 → 3, head L0 H0 → L1 H2"), (3, "")]


def test_it_can_be_forgotten(selection: Selection):
    selection.image = 3
    number = selection.history.present.number
    selection.history.forget()
    assert not selection.undo()
    assert selection.image == 3
    assert selection.history.present.number != number


def test_a_list_that_is_changed_in_place_does_not_change_what_is_remembered(selection: Selection):
    selection.pin(0, 1)
    selection.pinned.append((1, 1))
    selection.image = 4
    selection.undo()
    selection.undo()
    assert selection.pinned == []


def test_copies_and_other_selections_have_histories_of_their_own(study: Study, selection: Selection):
    copy, other = selection.but(image=4), Selection(study, image=2)
    selection.image = 8
    assert not other.undo()
    assert not copy.history.before or copy.history.before.values["image"] == 1
    selection.undo()
    assert (selection.image, copy.image, other.image) == (1, 4, 2)


@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["image", "layer", "head", "undo", "redo"]), st.integers(0, 1)), max_size=30
    )
)
def test_undo_and_redo_are_what_two_stacks_say(study: Study, acts: list[tuple[str, int]]):
    selection = Selection(study, image=0, layer=0, head=0)
    past: list[dict[str, Any]] = []
    future: list[dict[str, Any]] = []
    for name, value in acts:
        before = values(selection)
        if name == "undo":
            selection.undo()
            if past:
                future.append(before)
                assert values(selection) == past.pop()
        elif name == "redo":
            selection.redo()
            if future:
                past.append(before)
                assert values(selection) == future.pop()
        else:
            selection.param.update(**{name: value})
            if values(selection) != before:
                past.append(before)
                future.clear()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": 5}, "image 1 → 5"),
        ({"image": None}, "all images"),
        ({"layer": 1}, "head L0 H0 → L1 H0"),
        ({"metric": "cls"}, "metric: "),
        ({"mode": 3}, "pruning mode: CLS↔patches"),
        ({"threshold": 0.25}, "threshold 0.25"),
        ({"pinned": [(0, 1), (1, 2)]}, "pin L0 H1 L1 H2"),
        ({"images": OfClass("T-shirt & <top>")}, "brush: images of T-shirt & <top>"),
        ({"tokens": Ids((1, 2), "token")}, "brush: tokens 1, 2"),
        ({"kept": {"mine": Ids((1,))}}, "keep “mine”"),
        ({"extra": False}, "extra tokens hidden"),
        ({"viewport": (0, 1, 0, 1)}, "part of the map of heads"),
        ({"image": 5, "layer": 1, "metric": "cls", "mode": 2}, "image 1 → 5, head L0 H0 → L1 H0 and 2 more"),
        ({}, ""),
    ],
)
def test_a_step_says_what_has_changed(selection: Selection, changes: dict[str, Any], words: str):
    before = values(selection)
    assert change_words(before, before | changes).startswith(words)
    assert bool(words) or not change_words(before, before | changes)


@pytest.mark.parametrize("name", FIELDS)
def test_words_are_known_for_every_field_and_are_short(selection: Selection, name: str):
    before = values(selection)
    brush = Ids(tuple(range(10**5, 10**5 + 900)))
    others = {
        "kept": {"k": brush},
        "against": "k",
        "pinned": [(0, 0)],
        "viewport": (0, 1, 0, 1),
        "token": 3,
        "image": 7,
    }
    old = before[name]
    new = others.get(name, brush if old is None else not old if isinstance(old, bool) else old)
    if isinstance(old, int | float) and not isinstance(old, bool) and name not in others:
        new = old + 1
    elif isinstance(old, str):
        new = (
            next(value for value in (*selection.param[name].objects, "cls") if value != old)
            if hasattr(selection.param[name], "objects")
            else "other"
        )
    said = change_words(before, before | {name: new})
    assert 0 < len(said) <= LONGEST
    assert "way back" not in said
