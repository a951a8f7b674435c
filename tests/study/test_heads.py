"""One row for each head."""

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import synthetic_attention, write_synthetic_study
from vitpanel.study.cohesion import cohesion
from vitpanel.study.heads import head_layouts
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("heads") / "a.study"))


def test_numbers_by_slow_definitions(study: Study):
    heads = study.heads
    assert heads.index.names == ["layer", "head"]
    assert len(heads) == 6
    labelled = [image for image in range(12) if study.images["label"].iloc[image] >= 0]
    for layer, head in heads.index:
        row, entropy = heads.loc[(layer, head)], [float(study["entropy"][i, layer, head]) for i in range(12)]
        assert row["entropy_mean"] == pytest.approx(sum(entropy) / 12)
        assert row["entropy_std"] == pytest.approx(np.std(entropy))
        assert row["entropy_median"] == pytest.approx((sorted(entropy)[5] + sorted(entropy)[6]) / 2)
        lost = [float(study["importance/probability"][i, layer, head]) for i in labelled]
        assert row["importance_probability_mean"] == pytest.approx(sum(lost) / len(lost), abs=1e-6)
        assert row["importance_probability_max"] == pytest.approx(max(lost), abs=1e-6)


def test_shares_of_attention_on_cls(study: Study):
    attention = np.stack([synthetic_attention(study.spec, image) for image in range(12)])
    to_cls = attention[..., 1:, 0].mean(axis=(0, -1))
    assert np.allclose(study.heads["to_cls"].to_numpy(), to_cls.ravel(), atol=1e-3)
    assert np.allclose(study.heads["cls_to_cls"].to_numpy(), attention[..., 0, 0].mean(0).ravel(), atol=1e-3)


def test_cohesion_is_the_share_of_own_neighbours_in_the_first_layout(study: Study):
    layout, found = study["layout/patch"], study.heads["cohesion"].to_numpy().reshape(2, 3)
    for layer, head in study.heads.index:
        shares = []
        for image in range(12):
            distance = np.linalg.norm(layout - layout[image, layer, head], axis=-1)
            others = [place for place in np.ndindex(distance.shape) if place != (image, layer, head)]
            nearest = sorted(others, key=lambda place: distance[place])[:15]
            shares.append(sum(place[1:] == (layer, head) for place in nearest) / 15)
        assert found[layer, head] == pytest.approx(np.mean(shares))


def test_without_the_first_layout_cohesion_is_of_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    assert head_layouts(study) == ("layout/patch", "layout/cls", "layout/offset")
    monkeypatch.setitem(study._absent, "layout/patch", "It is turned off.")
    assert np.allclose(study.heads["cohesion"], cohesion(study["layout/cls"]).share.ravel())


def test_what_a_model_does_not_have_has_no_column(tmp_path: Path):
    heads = open_study(write_synthetic_study(tmp_path / "b.study", prefix=(), n_classes=0)).heads
    assert not [name for name in heads if name.startswith(("importance_cls", "importance_jsd", "to_cls"))]
    assert "importance_patch_mean" in heads


def test_a_study_that_is_not_finished_speaks_of_the_images_that_are_done(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "c.study", finished=False))
    assert study.heads["entropy_mean"].to_numpy() == pytest.approx(study["entropy"][:10].mean(0).ravel(), abs=1e-6)
    assert np.isnan(study.heads["cohesion"].to_numpy()).all()


def test_the_table_is_everybodys_own(study: Study):
    mine = study.heads
    mine.loc[(0, 0), "entropy_mean"] = 9
    assert study.heads.loc[(0, 0), "entropy_mean"] < 1
