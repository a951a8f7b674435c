"""The summary of a study."""

import re
from pathlib import Path

import numpy as np

from tests.synthetic import write_synthetic_study
from vitpanel.study.reader import open_study
from vitpanel.study.summary import describe


def line(text: str, start: str) -> str:
    """Return the one line that has ``start`` as its first word after the titles' column."""
    (found,) = [row for row in text.splitlines() if row[10:].startswith(start)]
    return found


def test_a_finished_study(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_images=12))
    text = describe(study)
    assert "(finished; every file is there, contents not verified: use --verify)" in text
    assert "synthetic_vit from tests.synthetic" in text
    assert "2 layers × 3 heads" in text
    assert "17 tokens (CLS and 16 patches)" in text
    assert "broken.png: truncated" in text
    assert line(text, "heads ").endswith("1.5 s")
    assert "average precision of the ones 0.432 (by chance 0.01)" in text
    assert "heads by Patch: keeps 56.8% of 10 nearest neighbours (by chance 14.1%)" in text
    assert "images by p(label), pruned: keeps" not in text
    labelled = study.images[study.images["label"] >= 0]
    assert f"accuracy {(labelled['label'] == labelled['predicted']).mean():.1%}" in text
    assert not any(row != row.rstrip() for row in text.splitlines())


def test_the_three_heads_are_those_whose_removal_costs_most(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    # Images without a label are judged by another class.
    labelled = study.images["label"].to_numpy() >= 0
    drop = study["importance/probability"][labelled].mean(axis=0)
    best = np.argsort(-drop.ravel())[:3]
    row = line(describe(study), "probability")
    places = [row.index(f"L{flat // 3} H{flat % 3}   {drop.ravel()[flat]:.4f}") for flat in best]
    assert places == sorted(places)


def test_an_unfinished_study_of_a_model_without_cls_and_classes(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "a.study", prefix=(), n_classes=0, finished=False)
    text = describe(open_study(path))
    assert "(not finished)" in text
    assert "12 without labels, 10 of them done" in text
    assert "no class head" in text
    assert not re.search(r"accuracy \d", text)
    assert line(text, "latents").endswith("not finished")
    assert "probability, jsd, accuracy: The model has no class head." in text
    assert "cls: The model has no CLS token." in text


def test_a_study_without_any_block(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "a.study", n_images=5, finished=False)
    text = describe(open_study(path))
    reason = "The study is not finished: it still lacks the importance and attention of heads."
    assert f"probability, jsd, cls, patch, accuracy: {reason}" in text
