"""How far patches look."""

import numpy as np
import pytest

from vitpanel.state.brush import Ids, OfClass
from vitpanel.state.queries.strength import density_table, hop_table, measure_table
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study


@pytest.mark.parametrize("measure", ["entropy", "distance"])
def test_a_measure_of_all_heads(study: Study, measure: str):
    of_image = measure_table(study, Selection(study, image=2, measure=measure))
    assert of_image["value"].to_numpy() == pytest.approx(study[measure][2].ravel())
    assert of_image["std"].isna().to_numpy().all()
    of_all = measure_table(study, Selection(study, image=None, measure=measure))
    assert of_all["value"].to_numpy() == pytest.approx(study[measure].mean(0).ravel(), abs=1e-6)
    assert of_all["std"].to_numpy() == pytest.approx(study[measure].std(0).ravel(), abs=1e-6)


def test_strength_over_hops(study: Study):
    table = hop_table(study, Selection(study, image=2, layer=1, head=1))
    assert table["hop"].tolist() == [0, 1, 2, 3]
    assert np.array_equal(table["chosen_image"], study["strength"][2, 1, 1])
    assert table["mean"].to_numpy() == pytest.approx(study["strength"][:, 1, 1].mean(0), abs=1e-6)
    assert hop_table(study, Selection(study, image=None))["chosen_image"].isna().to_numpy().all()


def test_distributions_of_the_brush_and_the_others(study: Study):
    selection = Selection(study, layer=1, head=1)
    assert density_table(study, selection)["density_of_brush"].isna().to_numpy().all()
    selection.images = OfClass("class 2")
    table, inside = density_table(study, selection), (study.images["label_name"] == "class 2").to_numpy()
    assert (table["n_of_brush"].iloc[0], table["n"].iloc[0]) == (inside.sum(), (~inside).sum())
    for column, part in (("density", ~inside), ("density_of_brush", inside)):
        assert np.trapezoid(table[column], table["value"]) == pytest.approx(1, abs=0.02)
        mean = np.trapezoid(table[column] * table["value"], table["value"])
        assert mean == pytest.approx(study["entropy"][part, 1, 1].mean(), rel=0.05)


def test_a_brush_is_held_against_a_kept_one_and_images_in_both_count_for_neither(study: Study):
    selection = Selection(study, layer=1, head=1, images=Ids((0, 1, 2, 3)))
    selection.keep("others", Ids((3, 7, 8)))
    selection.hold_against("others")
    table = density_table(study, selection)
    assert (table["n_of_brush"].iloc[0], table["n"].iloc[0]) == (3, 2)
    for column, images in (("density_of_brush", [0, 1, 2]), ("density", [7, 8])):
        mean = np.trapezoid(table[column] * table["value"], table["value"])
        assert mean == pytest.approx(study["entropy"][images, 1, 1].mean(), rel=0.05)
