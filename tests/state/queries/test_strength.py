"""How far patches look."""

import numpy as np
import pytest

from vitpanel.state.brush import Ids, InRange, OfClass
from vitpanel.state.queries.strength import density_table, hop_table
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study


def test_strength_over_hops(study: Study):
    table = hop_table(study, Selection(study, image=2, layer=1, head=1))
    assert table["hop"].tolist() == [0, 1, 2, 3]
    assert np.array_equal(table["chosen_image"], study["strength"][2, 1, 1])
    assert table["mean"].to_numpy() == pytest.approx(study["strength"][:, 1, 1].mean(0), abs=1e-6)
    assert hop_table(study, Selection(study, image=None))["chosen_image"].isna().to_numpy().all()


def test_strength_on_the_brushed_images_and_on_the_others(study: Study):
    selection = Selection(study, image=2, layer=1, head=1, images=Ids((0, 3, 4)))
    table, strength = hop_table(study, selection), study["strength"]
    for name, images in (("brush", (0, 3, 4)), ("rest", (1, 2, 5, 6, 7, 8, 9, 10, 11))):
        rows = [[float(strength[image, 1, 1, hop]) for image in images] for hop in range(4)]
        assert table[f"mean_of_{name}"].to_numpy() == pytest.approx([np.mean(row) for row in rows], abs=1e-6)
        assert table[f"std_of_{name}"].to_numpy() == pytest.approx([np.std(row) for row in rows], abs=1e-6)
        assert set(table[f"n_of_{name}"]) == {len(images)}
    assert table["mean_of_heads"].isna().to_numpy().all()


@pytest.mark.parametrize("image", [2, None])
def test_strength_of_the_brushed_heads(study: Study, image: int | None):
    selection = Selection(study, image=image, heads=Ids(((0, 1), (1, 2)), "head"))
    strength = study["strength"] if image is None else study["strength"][image : image + 1]
    expected = [(strength[:, 0, 1, hop].mean() + strength[:, 1, 2, hop].mean()) / 2 for hop in range(4)]
    assert hop_table(study, selection)["mean_of_heads"].to_numpy() == pytest.approx(expected, abs=1e-6)
    selection.heads = InRange("entropy", low=0.5, item="instance")
    assert hop_table(study, selection)["mean_of_heads"].isna().to_numpy().all()


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
