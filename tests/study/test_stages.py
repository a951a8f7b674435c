"""The registry of stages: what a record may say, and what follows from it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.entry_points import registry_for_a_test
from tests.synthetic import synthetic_spec
from tests.toy_stage import GAZE
from vitpanel.errors import VitpanelError
from vitpanel.study import stages
from vitpanel.study.own_stages import HEADS, LATENTS, LAYOUT, MEANS, MODES, STAGES
from vitpanel.study.schema import array_specs
from vitpanel.study.stage import ArraySpec
from vitpanel.study.stages import (
    absence_words,
    is_optional,
    lacking_words,
    register,
    stage_of,
    stage_title,
    stages_that_need,
    unknown_arrays,
    unknown_stages,
)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Forget after each test what it has registered."""
    with registry_for_a_test(stages.REGISTRY):
        yield


def test_five_come_with_vitpanel_of_which_two_may_be_missing():
    assert [stage.name for stage in stages.stages()] == [HEADS, LATENTS, LAYOUT, MODES, MEANS]
    assert STAGES == (HEADS, LATENTS, LAYOUT)
    assert [name for name in (*STAGES, MODES, MEANS) if is_optional(name)] == [MODES, MEANS]
    assert "--modes" in absence_words(MODES)


def test_a_stage_is_called_by_what_it_computes_where_it_says_so():
    assert all(stage_title(name) != name for name in (HEADS, LATENTS, LAYOUT, MODES, MEANS))
    assert lacking_words(LATENTS) == "The study is not finished: it still lacks the codes of attention patterns."
    register(GAZE)
    assert stage_title("gaze") == "gaze"
    assert lacking_words("gaze") == "The study is not finished: it still lacks what stage gaze computes."


def test_a_registered_one_is_known_and_its_arrays_come_last():
    register(GAZE)
    assert stage_of("gaze") is GAZE
    assert is_optional("gaze")
    arrays = array_specs(synthetic_spec(n_layers=2, n_heads=3), 12, latent_dim=6)
    assert list(arrays)[-2:] == ["gaze/self", "gaze/cls"]
    assert arrays["gaze/self"] == ArraySpec("gaze/self", ("image", "layer", "head"), (12, 2, 3), stage="gaze")
    assert arrays["gaze/self"].chunks(5) == (5, 2, 3)
    with pytest.raises(VitpanelError, match="something else has its name"):
        register(replace(GAZE, arrays=lambda sizes: [sizes.per_head("gaze/other")]))


def test_what_follows_from_the_model_and_the_stage_is_filled_in():
    register(
        replace(GAZE, arrays=lambda sizes: [ArraySpec("gaze", ("layer",), (sizes.spec.n_layers,))], per_block=False)
    )
    spec = replace(synthetic_spec(n_layers=2, n_heads=3), heads=(3, 2))
    arrays = array_specs(spec, 12, latent_dim=6)
    assert not arrays["gaze"].is_per_block
    assert not arrays["gaze"].is_ragged
    assert arrays["gaze"].chunks(5) == (2,)
    assert arrays["strength"].is_ragged


def test_what_is_made_of_a_stage_is_found_by_way_of_others():
    register(replace(GAZE, needs=(LAYOUT,)))
    assert stages_that_need(LATENTS) == [LAYOUT, "gaze"]
    assert stages_that_need(HEADS) == [LATENTS, LAYOUT, MODES, "gaze"]
    assert stages_that_need("gaze") == []


def test_of_a_manifest_only_what_can_be_a_stage_is_taken_for_one():
    record = {"heads": {"done": True, "arrays": ["entropy"]}, "gaze": {"done": True, "arrays": ["gaze/self"]}}
    record |= {"../gaze": {"done": True, "arrays": ["x"]}, "begun": {"done": False}}
    assert unknown_stages(record) == ["gaze", "begun"]
    assert list(unknown_arrays(record)) == ["gaze/self"]
    assert "cannot be finished without it" in stages.unknown_words("begun", record["begun"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "heads"}, "something else has its name"),
        ({"name": "importance"}, "something else has its name"),
        ({"name": "../gaze"}, "not of small letters"),
        ({"run": None}, "it has no run"),
        ({"arrays": lambda _sizes: []}, "it has no arrays"),
        ({"arrays": lambda sizes: sizes.nothing}, "its arrays cannot be had"),
        ({"arrays": lambda sizes: [sizes.per_head("entropy")]}, "not called gaze"),
        ({"arrays": lambda sizes: [sizes.per_head("gaze/../x")]}, "not called gaze"),
        ({"arrays": lambda sizes: [sizes.per_head("gaze")] * 2}, "two of its arrays have one name"),
        ({"arrays": lambda sizes: [sizes.per_head("gaze", {"hop": 3})]}, "the axis hop of gaze has another length"),
        ({"arrays": lambda _sizes: [ArraySpec("gaze", ("layer",), (2,))]}, "the first axis of gaze is not the image"),
        ({"arrays": lambda _sizes: [ArraySpec("gaze", ("image",), (11, 2))]}, "1 names of axes and 2 lengths"),
        ({"arrays": lambda _sizes: [ArraySpec("gaze", ("image", "head"), (11, 3))]}, "do not begin with image, layer"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changes: dict[str, Any], words: str):
    with pytest.raises(VitpanelError, match=words) as caught:
        register(replace(GAZE, **changes))
    assert "vitpanel.study.stage" in caught.value.hint
    assert len(stages.stages()) == 5
