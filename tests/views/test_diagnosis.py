"""The table of what pruning does: its rows, their order, its pages, and what a press on a row does."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.synthetic import (
    finish_synthetic_study,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_block,
)
from vitpanel.state.brush import Ids
from vitpanel.state.queries.diagnosis import diagnosis_page
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.study.writer import StudyWriter
from vitpanel.views.bridge import Bridge
from vitpanel.views.diagnosis import COUNT, Diagnosis


@pytest.fixture
def view(make_session) -> Diagnosis:
    return Diagnosis(make_session(), Bridge())


def send(view: Diagnosis, **message: Any) -> None:
    view._on_message(SimpleNamespace(data=message))


def places(view: Diagnosis) -> list[list[int]]:
    return [row["place"] for row in view.table.page["rows"]]


def expected(view: Diagnosis, preset: str = "all", **options: Any) -> list[list[int]]:
    table = diagnosis_page(view.session.study, preset, count=COUNT, **options).table
    return table[["image", "layer", "head"]].to_numpy().tolist()


def test_the_first_page_is_there_with_words_and_pictures(view):
    page, study = view.table.page, view.session.study
    is_labelled = (study.images["label"] >= 0).to_numpy()
    drops = np.where(is_labelled[:, None, None], study["importance/probability"], -np.inf)
    assert places(view) == expected(view)
    assert len(places(view)) == COUNT
    image, layer, head = places(view)[0]
    assert drops[image, layer, head] == drops.max()
    row = page["rows"][0]
    assert row["cells"][:3] == [str(image), str(layer), str(head)]
    assert row["cells"][6] == f"{drops.max():+.3f}"
    assert row["why"].startswith(f"Without layer {layer} head {head}, ")
    assert page["pictures"][str(image)].startswith("data:image/")
    assert page["n_rows"] == np.count_nonzero(np.isfinite(drops))
    assert not view.table.is_busy
    assert view.table.help.startswith("Every head on every image")


def test_pages_follow_one_another_to_the_last(view):
    first, n_pages = places(view), view.table.page["n_pages"]
    send(view, page=1)
    assert view.table.page["number"] == 1
    assert places(view) == expected(view, start=COUNT)
    assert not [place for place in places(view) if place in first]
    send(view, page=n_pages - 1)
    assert view.table.page["first"] + len(places(view)) == view.table.page["n_rows"]


@pytest.mark.parametrize(
    ("column", "is_first_descending"), [("drop", True), ("image", False), ("rank_in_layer", False)]
)
def test_a_heading_sorts_one_way_then_the_other_and_then_no_more(view, column, is_first_descending):
    plain = places(view)
    for descending in (is_first_descending, not is_first_descending):
        send(view, page=1)
        send(view, sort=column)
        assert places(view) == expected(view, by=column, descending=descending)
        assert (view.table.page["by"], view.table.page["descending"]) == (column, descending)
    send(view, sort=column)
    assert places(view) == plain
    assert view.table.page["by"] == ""


def test_a_preset_begins_on_its_first_page_in_its_own_order(view):
    send(view, sort="image")
    send(view, page=1)
    view.preset.value = "opposing"
    assert places(view) == expected(view, "opposing")
    assert view.table.help.startswith("The two heads of an image")
    assert view.table.page["by"] == ""


def test_brushed_images_alone_are_shown_while_that_is_wanted(view):
    selection, everything = view.session.selection, places(view)
    assert view.only_brushed.is_off
    selection.images = Ids((1, 4))
    assert places(view) == everything
    assert not view.only_brushed.is_off
    view.only_brushed.value = True
    assert {image for image, *_ in places(view)} == {1, 4}
    selection.images = Ids((2,))
    assert {image for image, *_ in places(view)} == {2}
    view.preset.value = "opposing"
    assert {image for image, *_ in places(view)} <= {2}
    view.preset.value = "all"
    selection.images = None
    assert places(view) == everything
    assert (view.only_brushed.value, view.only_brushed.is_off) == (False, True)


def test_a_row_that_is_pressed_is_chosen_marked_and_can_be_left_again(view):
    selection, before = view.session.selection, [3, 0, 0]
    assert view.table.chosen == before
    place = next(place for place in places(view) if place[0] != 3)
    send(view, choose=place)
    assert [selection.image, *selection.chosen_head] == place == view.table.chosen
    selection.go_back()
    assert view.table.chosen == before
    selection.image = None
    assert view.table.chosen == []


def test_what_is_not_there_changes_nothing(view):
    before, selection = view.table.page, view.session.selection
    for message in (
        {"choose": [99, 0, 0]}, {"choose": [1, 0]}, {"choose": "x"}, {"choose": ["a", [], None]}, {"sort": "why"},
        {"page": -1}, {"page": 99}, {"page": "x"}, {"fly": 1},
    ):  # fmt: skip
        send(view, **message)
    assert view.table.page == before
    assert selection.image == 3


def test_it_says_why_there_is_nothing(make_session):
    assert Diagnosis(make_session(n_classes=0), Bridge()).table.words
    view = Diagnosis(make_session(selection=Selection(image=3)), Bridge())
    view.session.selection.images = Ids(())
    view.only_brushed.value = True
    assert view.table.words == "No head on any brushed image is like this."
    view.only_brushed.value = False
    assert not view.table.words


def test_the_first_rows_are_saved_in_the_order_shown(view, monkeypatch):
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(view.view_tools, "_send_msg", sent.append)
    send(view, sort="p_true")
    view.view_tools._handle_msg({"save": "diagnosis", "kind": "csv", "scale": 1})
    study = view.session.study
    rows = diagnosis_page(study, by="p_true", count=1000).table
    assert sent[0]["text"] == pd.DataFrame(rows).to_csv(index=False)
    assert sent[0]["file"] == "diagnosis_all.csv"


def test_nothing_is_saved_where_there_is_nothing(make_session, monkeypatch):
    view, sent = Diagnosis(make_session(n_classes=0), Bridge()), []
    monkeypatch.setattr(view.view_tools, "_send_msg", sent.append)
    assert view.records()[0]["reason"] == view.table.words
    view.view_tools._handle_msg({"save": "diagnosis", "kind": "csv", "scale": 1})
    assert [message["kind"] for message in sent] == ["words"]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Study]:
    """Open a study as it is begun, with one block, or finished."""
    folder, spec = tmp_path_factory.mktemp("studies"), synthetic_spec()

    def keep(name: str) -> None:
        shutil.copytree(writer.path, folder / name / "a.study")

    manifest, images = synthetic_manifest(spec), synthetic_images(spec, 12)
    with StudyWriter.create_or_resume(folder / "a.study", manifest, images) as writer:
        keep("begun")
        write_synthetic_block(writer, 0)
        keep("one block")
        for block in range(1, writer.n_blocks):
            write_synthetic_block(writer, block)
        finish_synthetic_study(writer)
        keep("finished")
    return lambda name: open_study(Path(folder / name / "a.study"))


def test_rows_come_as_the_study_grows(stages):
    view = Diagnosis(Session(stages("begun"), selection=Selection(image=3)), Bridge())
    assert "still lacks the importance" in view.table.words
    for stage in ("one block", "finished"):
        view.session.renew(stages(stage))
        assert places(view) == expected(view)
        assert not view.table.words
        assert view.records()[0]["reason"] == ""
    assert view.n_rows == view.table.page["n_rows"] > COUNT
    send(view, page=1)
    assert places(view) == expected(view, start=COUNT)


def test_what_was_asked_for_is_asked_again_of_a_study_that_has_grown(stages):
    view = Diagnosis(Session(stages("one block"), selection=Selection(image=3)), Bridge())
    view.session.selection.images = Ids((1, 3, 4, 8))
    view.only_brushed.value = True
    send(view, sort="image")
    send(view, page=1)
    view.session.renew(stages("finished"))
    options = {"among": Ids((1, 3, 4, 8)), "by": "image", "descending": False, "start": COUNT}
    assert places(view) == expected(view, **options)
    assert view.only_brushed.value
    assert (view.table.page["number"], view.table.page["by"]) == (1, "image")


def test_what_may_mend_becomes_what_mends(stages):
    view = Diagnosis(Session(stages("begun"), selection=Selection(image=3)), Bridge())
    view.preset.value = "mends"
    assert "Pruning may mend the prediction" in view.preset.options
    view.session.renew(stages("finished"))
    assert view.preset.value == view.question.preset == "mends"
    assert "Pruning mends the prediction" in view.preset.options
    assert "Pruning may mend the prediction" not in view.preset.options
    assert view.table.help.startswith("Images that are predicted wrong, and right without the head")
    assert places(view) == expected(view, "mends")


def test_a_page_that_is_no_more_becomes_the_last_one(stages):
    view = Diagnosis(Session(stages("finished"), selection=Selection(image=3)), Bridge())
    send(view, page=view.table.page["n_pages"] - 1)
    view.session.renew(stages("one block"))
    page = view.table.page
    assert page["number"] == view.question.number == page["n_pages"] - 1
    assert places(view) == expected(view, start=page["first"])
    assert places(view)
