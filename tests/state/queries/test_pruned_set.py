"""Which heads are pruned together on which images, and what is told of them."""

from itertools import pairwise

import numpy as np
import pytest

from vitpanel.core.pruned_images import pruned_images
from vitpanel.errors import ChoiceError
from vitpanel.state.brush import Ids, InRange, OfClass
from vitpanel.state.queries.pruned_images import curve_table, image_table, most_changed, pruned_image
from vitpanel.state.queries.pruned_set import (
    ALL,
    BRUSHED,
    LEAST_FIRST,
    MOST_FIRST,
    SetJob,
    asked_images,
    changes_one_by_one,
    chosen_set,
    mask_of_heads,
    named_heads,
    pruning_job,
    scopes,
    steps_of_curve,
)
from vitpanel.state.selection import Selection
from vitpanel.study.means import importance_mean


def test_the_brush_comes_before_pins_and_pins_before_the_chosen_head(study):
    selection = Selection(study, image=3, layer=1, head=0)
    assert chosen_set(study, selection).heads == ((1, 0),)
    assert chosen_set(study, selection).words == "the chosen head"
    selection.pin_all([(1, 1), (0, 1)])
    assert chosen_set(study, selection).heads == ((0, 1), (1, 1))
    assert chosen_set(study, selection).words == "2 pinned heads"
    selection.heads = Ids(((1, 0), (0, 0)), item="head")
    found = chosen_set(study, selection)
    assert (found.heads, found.words, found.names) == (((0, 0), (1, 0)), "2 brushed heads", "L0 H0, L1 H0")


def test_of_heads_brushed_on_images_those_of_the_chosen_one_count(study):
    brush = Ids(((3, 0, 0), (3, 1, 1), (4, 1, 0)), item="instance")
    selection = Selection(study, image=3)
    selection.heads = brush
    assert chosen_set(study, selection).heads == ((0, 0), (1, 1))
    assert chosen_set(study, selection).words == "2 brushed heads on image 3"
    selection.image = 5
    assert chosen_set(study, selection).reason.startswith("No head is brushed on image 5.")
    selection.image = None
    assert "Choose one" in chosen_set(study, selection).reason


def test_samples_are_nested_random_and_of_what_is_done(study):
    brush = Ids((1, 4, 6))
    everything = asked_images(study, ALL, None)
    assert sorted(everything) == np.flatnonzero(study.done_images).tolist()
    assert everything[:5] == asked_images(study, "5", None)
    assert sorted(asked_images(study, BRUSHED, brush)) == [1, 4, 6]
    assert next(iter(scopes(study, brush).values())) == BRUSHED
    assert list(scopes(study, None).values())[-1] == ALL
    assert asked_images(study, BRUSHED, None) == ()


@pytest.mark.parametrize("order", [LEAST_FIRST, MOST_FIRST])
def test_a_curve_takes_heads_by_importance_up_to_all(study, order):
    steps = steps_of_curve(study, "jsd", order)
    mean = importance_mean(study, "jsd").mean
    assert steps[0] == ()
    assert len(steps[-1]) == study.spec.is_there.sum() == len(set(steps[-1]))
    values = [mean[head] for head in steps[-1]]
    assert values == sorted(values, reverse=order == MOST_FIRST)
    for before, after in pairwise(steps):
        assert after[: len(before)] == before
        assert len(after) > len(before)


def test_changes_one_by_one_are_sums_of_what_the_study_knows(study):
    images, sets = np.array([5, 2]), (((0, 0), (1, 1)), (), ((1, 0),))
    found = changes_one_by_one(study, SetJob(sets, 1, (5, 2)), images)
    drops = study["importance/probability"]
    for row, image in enumerate(images):
        for at, heads in enumerate(sets):
            assert found[row, at] == pytest.approx(-sum(drops[(image, *head)] for head in heads), abs=1e-6)
    assert (changes_one_by_one(study, SetJob(sets, 0, (5, 2)), images) == 0).all()


def test_modes_other_than_the_whole_head_need_the_stage_of_modes(study):
    found = changes_one_by_one(study, SetJob((((0, 0),),), 5, (1,)), np.array([1]))
    if "modes/probability" in study:
        assert found[0, 0] == pytest.approx(-study["modes/probability"][1, 0, 0, 5])
    else:
        assert np.isnan(found).all()


def test_heads_are_named_by_a_brush_a_mask_or_one_by_one(study):
    wanted = ((0, 1), (1, 0))
    assert named_heads(study, Ids(wanted, item="head")) == wanted
    assert named_heads(study, mask_of_heads(study.spec, wanted)) == wanted
    assert named_heads(study, [(1, 0), (0, 1), (1, 0)]) == wanted
    for heads, words in [([], "No head"), ([(9, 0)], r"no head \(9, 0\)"), (Ids((1,)), "a brush of images")]:
        with pytest.raises(ChoiceError, match=words):
            named_heads(study, heads)


def test_a_job_names_images_by_a_brush_by_number_or_all(study):
    assert pruning_job(study, [(0, 0)], mode=1, images=[4, 2]).images == (4, 2)
    assert pruning_job(study, [(0, 0)], mode=1, images=Ids((7, 3))).images == (3, 7)
    assert len(pruning_job(study, [(0, 0)], mode=1, images=None).images) == study.n_done
    with pytest.raises(ChoiceError, match="no image 999"):
        pruning_job(study, [(0, 0)], mode=1, images=[999])
    with pytest.raises(ChoiceError, match="no pruning mode 6"):
        pruning_job(study, [(0, 0)], mode=6, images=None)
    with pytest.raises(ChoiceError, match="brush of instances"):
        pruning_job(study, [(0, 0)], mode=1, images=InRange("entropy", high=1.0))
    with pytest.raises(ChoiceError, match=r"no image that is done in OfClass\(name='cat', by='label'\)"):
        pruning_job(study, [(0, 0)], mode=1, images=OfClass("cat", "label"))


def test_an_image_is_told_by_its_classes_before_and_after(study):
    rng, image = np.random.default_rng(3), 6
    chances = rng.dirichlet(np.ones(study.spec.n_classes), 2)
    found = pruned_image(study, SetJob((((0, 0), (1, 1)),), 1, (image,)), chances)
    label = int(study.images["label"].to_numpy()[image])
    reference = label if label >= 0 else int(chances[0].argmax())
    assert (found.before, found.after) == pytest.approx((chances[0][reference], chances[1][reference]))
    assert found.reference == study.class_names[reference]
    names = found.classes["class"].tolist()
    top = {study.class_names[index] for row in chances for index in np.argsort(-row)[:5]}
    assert set(names) >= top
    assert (np.diff(found.classes["unpruned"].to_numpy()) <= 0).all()
    assert found.classes["true_class"].tolist().count(True) == (label >= 0)
    assert found.singly == pytest.approx(-study["importance/probability"][image, [0, 1], [0, 1]].sum(), abs=1e-6)


def test_tables_say_the_same_as_the_records(study):
    rng, n = np.random.default_rng(4), 9
    images, labels = rng.permutation(n), study.images["label"].to_numpy()[:n]
    chances = rng.dirichlet(np.ones(study.spec.n_classes), (n, 3))
    found = pruned_images(images, labels[images], chances[:, 0], pruned=chances[:, 1:], singly=np.full((n, 2), np.nan))
    table = image_table(study, found, 1)
    assert table["image"].tolist() == images.tolist()
    assert table["change"].to_numpy() == pytest.approx(found.after[:, 1] - found.before)
    assert table["predicted_pruned"].tolist() == [study.class_names[row.argmax()] for row in chances[:, 2]]
    order = table.sort_values("jsd", ascending=False)["image"].tolist()
    assert images[most_changed(found, 4, 1)].tolist() == order[:4]
    curve = curve_table(SetJob(((), ((0, 0),)), 1, tuple(images)), found)
    assert curve["n_pruned"].tolist() == [0, 1]
    is_right = chances[:, 2].argmax(-1) == labels[images]
    assert curve["accuracy"].iloc[1] == pytest.approx(is_right[labels[images] >= 0].mean())
