import numpy as np

import vitpanel
from tests.synthetic import write_synthetic_study
from vitpanel.state.as_code import script, selection_code
from vitpanel.state.brush import Ids, InPolygon, Near, Not, OfClass
from vitpanel.state.saved_state import FIELDS
from vitpanel.state.selection import Selection
from vitpanel.study.reader import open_study

BRUSHES = {
    "images": OfClass("class 1", "label") & ~InPolygon("layout/images", (0.0, 1.5, 1.0), (0.25, 0.5, 2.0)),
    "heads": Ids(((0, 1), (1, 2)), "head") | Near("layout/patch", (3, 0, 1), 20),
    "tokens": Not(Ids((1, 2), "token")),
}


def read(code, study):
    return eval(code, {"vitpanel": vitpanel, "study": study})  # noqa: S307 - our own lines are what is tested


def test_only_what_differs_from_the_start_is_said(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    assert selection_code(study, Selection(study)) == "vitpanel.Selection(study)"
    start = Selection(study)
    other = (start.image + 1) % study.n_images
    changed = Selection(study, image=np.int64(other), scale="log")
    assert selection_code(study, changed) == f"vitpanel.Selection(study, image={other}, scale='log')"


def test_lines_give_back_all_that_is_chosen(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    selection = Selection(
        study,
        image=None,
        layer=1,
        head=0,
        metric="jsd",
        token=4,
        threshold=0.25,
        pinned=[(1, 1)],
        pattern="cls",
        **BRUSHES,
    )
    code = selection_code(study, selection)
    assert max(map(len, code.splitlines()[:4])) <= 100
    again = read(code, study)
    assert {name: getattr(again, name) for name in FIELDS} == {name: getattr(selection, name) for name in FIELDS}


def test_lines_name_the_folder_of_the_study_and_not_where_it_is(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "it's a.study"))
    lines = script(study, Selection(study), "elements.head_ranking(study, selection)")
    assert str(tmp_path) not in lines
    assert """vitpanel.open_study("it's a.study")""" in lines
    assert lines.endswith("\nelements.head_ranking(study, selection)\n")
    compile(lines, "lines", "exec")
