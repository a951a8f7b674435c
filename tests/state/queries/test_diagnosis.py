"""The table of what pruning does to the true class."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.synthetic import synthetic_images, write_synthetic_study
from vitpanel.core.metrics import REGISTRY
from vitpanel.errors import ChoiceError, StudyIncompleteError
from vitpanel.state.brush import Ids, InRange, OfClass
from vitpanel.state.queries.diagnosis import COLUMNS, SORTS, diagnosis_page
from vitpanel.state.queries.diagnosis_cases import case_of, class_name
from vitpanel.state.queries.diagnosis_presets import presets
from vitpanel.study.own_stages import MODES
from vitpanel.study.reader import Study, open_study
from vitpanel.study.writer import StudyWriter

N_IMAGES = 30
Place = tuple[int, int, int]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study from before there was the accuracy, which stores nothing of predictions without a head."""
    with pytest.MonkeyPatch.context() as patch:
        known = {key: metric for key, metric in REGISTRY.known().items() if key != "accuracy"}
        patch.setattr(REGISTRY, "_registered", known)
        path = write_synthetic_study(tmp_path_factory.mktemp("diagnosis") / "a.study", n_images=N_IMAGES)
    return open_study(path)


@pytest.fixture(scope="module")
def with_accuracy(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """One that stores whether they are right."""
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("diagnosis") / "c.study", n_images=N_IMAGES))


@pytest.fixture(scope="module")
def with_modes(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """One that does, at random."""
    path = write_synthetic_study(tmp_path_factory.mktemp("diagnosis") / "b.study", n_images=N_IMAGES)
    study, rng = open_study(path), np.random.default_rng(0)
    with StudyWriter.create_or_resume(path, study.manifest, synthetic_images(study.spec, N_IMAGES)) as writer:
        for name, array in writer.arrays.items():
            for block in range(writer.n_blocks if array.stage == MODES else 0):
                shape = (len(writer.block_images(block)), *array.shape[1:])
                writer.write_rows(name, block, rng.uniform(0, 3, shape).astype(array.dtype))
        writer.finish_stage(MODES, seconds=0.1)
    return open_study(path)


def facts(study: Study) -> dict[Place, dict[str, Any]]:
    """All that the rows are made of, one head on one image at a time."""
    found: dict[Place, dict[str, Any]] = {}
    for image, row in enumerate(study.images.to_dict("records")):
        drops = study["importance/probability"][image].astype(float)
        for layer, head in np.ndindex(2, 3):
            if row["label"] < 0 or math.isnan(drops[layer, head]):
                continue
            found[image, layer, head] = {
                "label": row["label"],
                "predicted": row["predicted"],
                "p_true": row["p_true"],
                "drop": drops[layer, head],
                "rank_in_layer": 1 + sum(drop > drops[layer, head] for drop in drops[layer]),
                "rank_in_image": 1 + sum(drop > drops[layer, head] for drop in drops.ravel()),
                "jsd": study["importance/jsd"][image, layer, head],
                "patch": study["importance/patch"][image, layer, head],
            }
    return found


def all_rows(study: Study, preset: str, **options: Any) -> list[Place]:
    page = diagnosis_page(study, preset, count=10_000, **options)
    assert page.n_rows == len(page.table)
    assert page.table["why"].str.startswith("Without layer ").all()
    return list(zip(page.table["image"], page.table["layer"], page.table["head"], strict=True))


def in_order(scores: dict[Place, float]) -> list[Place]:
    return sorted(scores, key=lambda place: (-scores[place], place))


def test_one_row_a_head_on_an_image_with_a_label(plain: Study):
    known = facts(plain)
    assert all_rows(plain, "all") == in_order({place: fact["drop"] for place, fact in known.items()})
    table = diagnosis_page(plain, count=1000).table
    assert tuple(table) == COLUMNS
    for row in table.to_dict("records"):
        fact = known[row["image"], row["layer"], row["head"]]
        assert row["label"] == plain.class_names[fact["label"]]
        assert row["predicted"] == plain.class_names[fact["predicted"]]
        assert (row["rank_in_layer"], row["rank_in_image"]) == (fact["rank_in_layer"], fact["rank_in_image"])
        assert (row["p_true"], row["drop"]) == pytest.approx((fact["p_true"], fact["drop"]))


def test_pages_are_parts_of_the_table(plain: Study):
    whole = all_rows(plain, "all")
    pages = [diagnosis_page(plain, start=start, count=7) for start in range(0, len(whole) + 7, 7)]
    rows = [place for page in pages for place in page.table[["image", "layer", "head"]].itertuples(index=False)]
    assert rows == whole
    assert {page.n_rows for page in pages} == {len(whole)}
    assert pages[-1].table.empty
    assert tuple(pages[-1].table) == COLUMNS


@pytest.mark.parametrize("by", SORTS)
@pytest.mark.parametrize("descending", [False, True])
def test_every_column_sorts_the_whole_table(plain: Study, by: str, *, descending: bool):
    sign = -1 if descending else 1
    place = {"image": 0, "layer": 1, "head": 2}
    keys = {at: at[place[by]] if by in place else np.float32(fact[by]) for at, fact in facts(plain).items()}
    expected = sorted(keys, key=lambda at: (sign * keys[at], at))
    assert all_rows(plain, "all", by=by, descending=descending) == expected


def test_rows_can_be_limited_to_what_is_brushed(plain: Study):
    whole = all_rows(plain, "all")
    of_class = OfClass("class 0")
    labels = plain.images["label_name"].tolist()
    assert all_rows(plain, "all", among=of_class) == [at for at in whole if labels[at[0]] == "class 0"]
    heads = Ids(((1, 0), (1, 2)), "head")
    assert all_rows(plain, "all", among=heads) == [at for at in whole if at[1:] in {(1, 0), (1, 2)}]
    both = of_class & InRange("entropy", low=0.4)
    entropy = plain["entropy"]
    expected = [at for at in whole if labels[at[0]] == "class 0" and entropy[at] >= 0.4]
    assert all_rows(plain, "all", among=both) == expected
    assert all_rows(plain, "all", among=Ids((6,))) == []  # it has no label


def test_with_stored_modes_mended_and_broken_predictions_are_known(with_modes: Study):
    after, mended, broken = with_modes["modes/top_class"], {}, {}
    for place, fact in facts(with_modes).items():
        without = after[place][1][0]
        if fact["predicted"] != fact["label"] == without:
            mended[place] = -fact["drop"]
        if fact["predicted"] == fact["label"] != without:
            broken[place] = fact["drop"]
    assert mended
    assert broken
    assert all_rows(with_modes, "mends") == in_order(mended)
    assert all_rows(with_modes, "breaks") == in_order(broken)
    assert presets(with_modes)["mends"].title == "Pruning mends the prediction"
    row = diagnosis_page(with_modes, "breaks", count=1).table.iloc[0]
    without = with_modes.class_names[after[row["image"], row["layer"], row["head"], 1, 0]]
    assert row["why"].endswith(f"; {row['label']} is predicted with all heads, {without} without it.")


def test_the_accuracy_says_exactly_what_is_mended_and_broken_and_not_by_which_class(with_accuracy: Study):
    lost, mended, broken = with_accuracy["importance/accuracy"], {}, {}
    for place, fact in facts(with_accuracy).items():
        was_right = fact["predicted"] == fact["label"]
        is_right = was_right if lost[place] == 0 else lost[place] < 0
        if is_right and not was_right:
            mended[place] = -fact["drop"]
        if was_right and not is_right:
            broken[place] = fact["drop"]
    assert mended
    assert broken
    assert all_rows(with_accuracy, "mends") == in_order(mended)
    assert all_rows(with_accuracy, "breaks") == in_order(broken)
    assert presets(with_accuracy)["breaks"].title == "Pruning breaks a right prediction"
    for row in diagnosis_page(with_accuracy, "mends", count=1000).table.to_dict("records"):
        assert row["why"].endswith(f"{row['predicted']} is predicted with all heads, {row['label']} without it.")
    for row in diagnosis_page(with_accuracy, "breaks", count=1000).table.to_dict("records"):
        assert f"another class than {row['label']} without it; which class" in row["why"]


def test_without_modes_nothing_is_said_to_be_mended_or_broken_that_the_label_does_not_tell(plain: Study):
    mending, breaking = {}, {}
    for place, fact in facts(plain).items():
        left = fact["p_true"] - fact["drop"]
        if fact["predicted"] != fact["label"] and left > fact["p_true"] and left >= 1 / 3:
            mending[place] = -fact["drop"]
        if fact["predicted"] == fact["label"] and left < fact["p_true"] and left <= 1 / 2:
            breaking[place] = fact["drop"]
    assert mending
    assert breaking
    assert all_rows(plain, "mends") == in_order(mending)
    assert all_rows(plain, "breaks") == in_order(breaking)
    for key in ("mends", "breaks"):
        assert presets(plain)[key].title.startswith("Pruning may ")
        for row in diagnosis_page(plain, key, count=1000).table.to_dict("records"):
            left, why = row["p_true"] - row["drop"], row["why"]
            assert why.endswith(f"{row['label']} without it.") == (left > 1 / 2)
            assert (f"another class than {row['label']} without it" in why) == (left < 1 / 3)
            assert ("this study does not store" in why) == (left <= 1 / 2)


def test_two_opposing_heads_of_each_image(plain: Study):
    scores: dict[Place, float] = {}
    for image in range(N_IMAGES):
        drops: dict[Place, float] = {at: fact["drop"] for at, fact in facts(plain).items() if at[0] == image}
        if drops and min(drops.values()) < 0 < max(drops.values()):
            weaker = min(max(drops.values()), -min(drops.values()))
            scores |= dict.fromkeys((max(drops, key=drops.__getitem__), min(drops, key=drops.__getitem__)), weaker)
    assert scores
    assert all_rows(plain, "opposing") == in_order(scores)
    table = diagnosis_page(plain, "opposing", count=1000).table
    for first, second in zip(table["why"][::2], table["why"][1::2], strict=True):
        assert {" falls " in words.split(", and ")[0] for words in (first, second)} == {False, True}
        name = first.split(", p(")[0].removeprefix("Without ")
        assert f"and without {name} it " in second


def test_unstable_heads_are_far_from_their_mean(plain: Study):
    known, scores = facts(plain), {}
    for layer, head in np.ndindex(2, 3):
        drops = {at: fact["drop"] for at, fact in known.items() if at[1:] == (layer, head)}
        mean, std = np.mean(list(drops.values())), np.std(list(drops.values()))
        scores |= {at: abs(drop - mean) for at, drop in drops.items() if abs(drop - mean) > 2 * std}
    assert scores
    assert all_rows(plain, "unstable") == in_order(scores)
    assert "on average over images" in diagnosis_page(plain, "unstable").table["why"].iloc[0]


def test_heads_that_matter_in_their_layer_only(plain: Study):
    known = facts(plain)
    much = np.quantile([fact["patch"] for fact in known.values()], 0.9)
    little = np.quantile([fact["jsd"] for fact in known.values()], 0.5)
    scores = {at: fact["patch"] for at, fact in known.items() if fact["patch"] >= much and fact["jsd"] <= little}
    assert scores
    assert all_rows(plain, "layer") == in_order(scores)
    assert "yet the patch distance is" in diagnosis_page(plain, "layer").table["why"].iloc[0]


def test_a_sentence_says_what_becomes_of_the_probability(plain: Study):
    row = diagnosis_page(plain, count=1).table.iloc[0]
    left = row["p_true"] - row["drop"]
    start = f"Without layer {row['layer']} head {row['head']}, p({row['label']})"
    assert row["why"] == f"{start} falls from {row['p_true']:.2f} to {left:.2f}."
    case = case_of(plain, row["image"], row["layer"], row["head"])
    assert (case.p_true, case.left) == pytest.approx((row["p_true"], left))


def test_classes_that_are_called_alike_have_their_number(plain: Study, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plain, "class_names", ["crane", "sunglass", "crane"])
    assert [class_name(plain, index) for index in range(4)] == ["crane (0)", "sunglass", "crane (2)", "3"]


def test_images_that_are_not_done_have_no_rows(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    assert {at[0] for at in all_rows(study, "all")} == set(np.flatnonzero(study.done_images)) - {6}
    assert len(presets(study)) == 6
    for key in presets(study):
        assert set(all_rows(study, key)) <= set(all_rows(study, "all"))


def test_what_cannot_be_diagnosed_is_refused(plain: Study, tmp_path: Path):
    with pytest.raises(ChoiceError, match="no diagnosis 'charm'"):
        diagnosis_page(plain, "charm")
    with pytest.raises(ChoiceError, match="sorted by 'why'"):
        diagnosis_page(plain, by="why")
    with pytest.raises(ChoiceError, match="no tokens"):
        diagnosis_page(plain, among=Ids((3,), "token"))
    without_classes = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    with pytest.raises(StudyIncompleteError, match="no class head"):
        diagnosis_page(without_classes)
