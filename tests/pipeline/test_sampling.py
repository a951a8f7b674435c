"""Some of all heads, block by block."""

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.pipeline.sampling import block_order, sampled_heads, sampled_rows
from vitpanel.study.reader import open_study


@pytest.mark.parametrize(("n", "n_most"), [(0, 5), (5, 5), (5, 9), (100, 1), (100, 37)])
def test_rows_are_some_of_all_in_order(n: int, n_most: int):
    rows = sampled_rows(n, n_most=n_most, seed=0)
    assert len(rows) == min(n, n_most)
    assert (np.diff(rows) > 0).all()
    assert set(rows.tolist()) <= set(range(n))
    assert np.array_equal(rows, sampled_rows(n, n_most=n_most, seed=0))


def test_every_row_can_be_drawn():
    drawn = {int(row) for seed in range(50) for row in sampled_rows(6, n_most=2, seed=seed)}
    assert drawn == set(range(6))


@pytest.mark.parametrize("n_most", [1, 20, 72, 1000])
@pytest.mark.parametrize("name", ["patterns/patch_top", "patterns/cls", "latents"])
def test_a_sample_is_the_rows_of_the_whole(tmp_path: Path, name: str, n_most: int):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    whole = study[name].reshape(72, -1)
    rows = sampled_rows(72, n_most=n_most, seed=3)
    np.testing.assert_array_equal(sampled_heads(study, name, n_most=n_most, seed=3), whole[rows], strict=True)


def test_a_sample_reads_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study = open_study(write_synthetic_study(tmp_path / "a.study"))
    monkeypatch.setattr(type(study), "_read_array", None)  # what reads a whole array
    read: list[int] = []
    block = type(study).block
    monkeypatch.setattr(type(study), "block", lambda self, name, n: read.append(n) or block(self, name, n))
    sampled_heads(study, "patterns/patch_top", n_most=9, seed=0)
    assert read == [0, 1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_blocks_are_shuffled_and_all_labels_come_first(seed: int):
    names = [f"class {row // 20}" for row in range(200)]
    order = block_order(names, 5, seed=seed)
    assert sorted(order) == list(range(40))
    assert order == block_order(names, 5, seed=seed)
    assert order != sorted(order)
    assert {names[block * 5] for block in order[:10]} == set(names)
    later = order[10:]
    assert later != sorted(later)


def test_blocks_without_labels_are_shuffled():
    order = block_order([""] * 17, 4, seed=0)
    assert sorted(order) == list(range(5))
