"""Which heads attend to a set of tokens."""

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import synthetic_attention, write_synthetic_study
from vitpanel.core.grid import Grid
from vitpanel.core.received import received_attention
from vitpanel.state.brush import Ids, mask_of
from vitpanel.state.queries.token_set import COLUMNS, stored_cls_shares, token_set_table, token_shares
from vitpanel.study.reader import Study, open_study

IMAGE = 4
SETS = [(), (0,), (3,), (0, 5, 6, 16), tuple(range(17))]


def slow_shares(matrix: np.ndarray, tokens: tuple[int, ...], grid: Grid) -> tuple[float, float]:
    """From CLS, and from all patches on average, one entry at a time."""
    from_cls = np.nan if grid.cls is None else sum(float(matrix[grid.cls, target]) for target in tokens)
    from_each = [sum(float(matrix[i, target]) for target in tokens) for i in range(grid.n_prefix, grid.n_tokens)]
    return from_cls, sum(from_each) / len(from_each)


def in_set(grid: Grid, tokens: tuple[int, ...]) -> np.ndarray:
    return np.isin(np.arange(grid.n_tokens), tokens)


@pytest.mark.parametrize("grid", [Grid(3, 4), Grid(2, 5, ()), Grid(3, 3, ("cls", "register", "register"))])
@pytest.mark.parametrize("tokens", [(), (0,), (1, 4, 7)])
def test_shares_by_their_definition(grid: Grid, tokens: tuple[int, ...]):
    attention = np.random.default_rng(0).dirichlet(np.ones(grid.n_tokens), (2, 3, grid.n_tokens)).astype(np.float32)
    from_cls, from_patches = token_shares(received_attention(attention, grid), in_set(grid, tokens))
    for head in np.ndindex(2, 3):
        expected = slow_shares(attention[head], tokens, grid)
        assert (from_cls[head], from_patches[head]) == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_attention_to_all_alike_gives_a_set_its_share_of_the_tokens():
    grid = Grid(4, 4)
    shares = token_shares(received_attention(np.full((17, 17), 1 / 17), grid), in_set(grid, (1, 2, 3)))
    assert tuple(shares) == pytest.approx((3 / 17, 3 / 17))


@pytest.mark.parametrize("tokens", SETS)
def test_a_table_of_what_the_live_model_tells(study: Study, tokens: tuple[int, ...]):
    attention = synthetic_attention(study.spec, IMAGE)
    mask = mask_of(study, Ids(tokens, "token"))
    table = token_set_table(study, mask, image=IMAGE, received=received_attention(attention, study.spec.grid))
    assert tuple(table) == COLUMNS
    for row in table.to_dict("records"):
        expected = slow_shares(attention[row["layer"], row["head"]], tokens, study.spec.grid)
        assert (row["from_cls"], row["from_patches"]) == pytest.approx(expected, abs=1e-6)


def test_without_a_model_the_study_says_what_cls_attends_to(study: Study):
    table = token_set_table(study, mask_of(study, Ids((0, 3), "token")), image=IMAGE)
    assert table["from_patches"].isna().to_numpy().all()
    assert table["from_cls"].notna().to_numpy().all()


@pytest.mark.parametrize(("prefix", "tokens"), [((), (0, 1)), (("cls", "register"), (1, 4)), (("register",), (2,))])
def test_what_no_study_stores_is_not_known(tmp_path: Path, prefix: tuple[str, ...], tokens: tuple[int, ...]):
    study = open_study(write_synthetic_study(tmp_path / "a.study", prefix=prefix))
    assert np.isnan(stored_cls_shares(study, 0, in_set(study.spec.grid, tokens))).all()


def test_registers_beside_cls_do_not_shift_the_patches(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", prefix=("register", "cls")))
    grid, attention, tokens = study.spec.grid, synthetic_attention(study.spec, IMAGE), (1, 2, 9)
    found = stored_cls_shares(study, IMAGE, in_set(grid, tokens))
    for head in np.ndindex(2, 3):
        assert found[head] == pytest.approx(slow_shares(attention[head], tokens, grid)[0], abs=1e-3)


def test_an_image_that_is_not_done_is_not_known(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", finished=False))
    tokens = in_set(study.spec.grid, (0, 3))
    is_known = [not np.isnan(stored_cls_shares(study, image, tokens)).any() for image in range(study.n_images)]
    assert is_known == study.done_images.tolist()
