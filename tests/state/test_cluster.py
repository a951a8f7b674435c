"""Clusters of heads and what they are made of, against slow definitions."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import StudyIncompleteError
from vitpanel.state import cluster as module
from vitpanel.state.brush import Ids, InPolygon, Near
from vitpanel.state.cluster import cluster_rows, cluster_summary
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("study") / "a.study"))


def box(low: float, high: float):
    return InPolygon("layout/patch", (low, high, high, low), (low, low, high, high))


def heads_inside(study: Study, low: float, high: float):
    layout = study["layout/patch"]
    return [place for place in np.ndindex(layout.shape[:3]) if all(low <= at < high for at in layout[place])]


def test_outline_marks_what_lies_inside(study: Study):
    rows = cluster_rows(study, box(-3, 4))
    expected = [int(np.ravel_multi_index(place, (12, 2, 3))) for place in heads_inside(study, -3, 4)]
    assert rows.tolist() == expected != []


def test_neighbourhood_marks_the_nearest(study: Study):
    layout = study["layout/patch"]
    distance = np.linalg.norm(layout - layout[4, 1, 2], axis=-1).ravel()
    rows = cluster_rows(study, Near("layout/patch", (4, 1, 2), 9))
    assert set(rows.tolist()) == set(np.argsort(distance)[:9].tolist())
    assert len(cluster_rows(study, Near("layout/patch", (4, 1, 2), 10_000))) == 72


def test_a_brushed_head_is_so_on_all_images(study: Study):
    rows = cluster_rows(study, Ids(((1, 2),), "head"))
    assert rows.tolist() == [6 * image + 5 for image in range(12)]
    assert cluster_summary(study, Ids(((1, 2),), "head"), "offset").n_images == 12


def test_summary_counts_heads_and_images(study: Study):
    places, summary = heads_inside(study, -3, 4), cluster_summary(study, box(-3, 4), "patch")
    kinds = Counter(place[1:] for place in places)
    assert summary.n_heads == len(places)
    assert summary.n_images == len({image for image, *_ in places})
    assert {(part.layer, part.head): part.count for part in summary.parts} == dict(kinds)
    assert [part.count for part in summary.parts] == sorted(kinds.values(), reverse=True)
    for part in summary.parts:
        assert part.share == pytest.approx(part.count / len(places))
        assert part.share_of_head == pytest.approx(part.count / 12)
    assert len(summary.examples) == len(set(summary.examples)) == 6
    assert set(summary.examples) <= set(places)


def test_mean_map_is_the_mean_of_binary_matrices(study: Study, monkeypatch: pytest.MonkeyPatch):
    places, tops = heads_inside(study, -3, 4), study["patterns/patch_top"]
    expected = np.zeros((16, 16))
    for place in places:
        for flat in tops[place]:
            expected[flat // 16, flat % 16] += 1 / len(places)
    summary = cluster_summary(study, box(-3, 4), "patch")
    assert summary.mean_map is not None
    assert np.allclose(summary.mean_map, expected)
    assert summary.n_averaged == len(places)
    monkeypatch.setattr(module, "MOST_AVERAGED", 5)
    assert cluster_summary(study, box(-3, 4), "patch").n_averaged <= 5


def test_nothing_inside_is_said(study: Study):
    with pytest.raises(StudyIncompleteError, match="No head"):
        cluster_summary(study, box(1000, 1001), "patch")


def test_without_stored_patterns_the_reason_stands_for_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    monkeypatch.setattr(study, "reason", lambda name: "gone" if name == module.TOP_ENTRIES else "")
    summary = cluster_summary(study, box(-3, 4), "patch")
    assert (summary.mean_map, summary.reason, summary.n_averaged) == (None, "gone", 0)
