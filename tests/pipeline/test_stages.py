"""Which stages a run computes, in which order."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.entry_points import registry_for_a_test
from tests.toy_stage import GAZE
from vitpanel.pipeline.recipe import Recipe
from vitpanel.pipeline.stages import in_order, wanted_stages
from vitpanel.study import stages
from vitpanel.study.own_stages import OWN_STAGES
from vitpanel.study.stages import register

RECIPE = Recipe(images=Path("photos"), out=Path("a.study"))


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Forget after each test what it has registered."""
    with registry_for_a_test(stages.REGISTRY):
        yield


@pytest.mark.parametrize(
    ("changes", "device", "expected"),
    [
        ({}, "cpu", ["heads", "latents", "layout"]),
        ({}, "cuda", ["heads", "latents", "layout", "modes"]),
        ({"modes": False}, "cuda", ["heads", "latents", "layout"]),
        ({"modes": True, "fast_means": True}, "cpu", ["means", "heads", "latents", "layout", "modes"]),
    ],
)
def test_a_recipe_asks_for_stages_in_the_order_of_work(changes: dict, device: str, expected: list[str]):
    assert [stage.name for stage in wanted_stages(replace(RECIPE, **changes), device)] == expected


def test_stages_of_others_are_asked_for_and_come_after_what_they_need():
    later = replace(GAZE, name="later", needs=("gaze", "nowhere"), arrays=lambda sizes: [sizes.per_head("later")])
    register(later)
    register(GAZE)
    assert [stage.name for stage in wanted_stages(RECIPE, "cpu")] == ["heads", "latents", "layout", "gaze", "later"]


def test_the_order_ends_also_where_stages_need_each_other():
    one, other = replace(GAZE, name="one", needs=("other",)), replace(GAZE, name="other", needs=("one",))
    assert {stage.name for stage in in_order([one, other, *OWN_STAGES])} >= {"one", "other"}
