"""The closed list of arguments that a study may keep."""

from typing import Any

import pytest

from tests.models.test_families import FAMILIES
from tests.tiny_vit import SIZES
from vitpanel.errors import VitpanelError
from vitpanel.models.arguments import SOURCES, check_arguments


@pytest.mark.parametrize("title", [family.title for family in FAMILIES])
def test_what_makes_the_families_small_is_on_the_list(title: str):
    check_arguments(next(family.arguments for family in FAMILIES if family.title == title))


def test_usual_arguments_are_on_the_list():
    check_arguments(SIZES | {"img_size": [32, 64], "global_pool": "", "init_values": None, "act_layer": "quick_gelu"})


@pytest.mark.parametrize("name", SOURCES)
def test_what_names_other_weights_is_refused(name: str):
    with pytest.raises(VitpanelError, match=name):
        check_arguments({name: None})


@pytest.mark.parametrize(
    "arguments",
    [
        {"embed_dim": 3_000_000},
        {"embed_dim": "24"},
        {"embed_dim": True},
        {"depth": 0},
        {"img_size": [32, 32, 32]},
        {"img_size": 10**9},
        {"mlp_ratio": float("nan")},
        {"drop_rate": float("inf")},
        {"act_layer": "os.system('x')"},
        {"norm_layer": "a/b"},
        {"qkv_bias": "yes"},
        {"no_such_argument": 1},
    ],
)
def test_other_names_types_and_sizes_are_refused_in_words(arguments: dict[str, Any]):
    with pytest.raises(VitpanelError, match=next(iter(arguments))) as caught:
        check_arguments(arguments)
    assert len(caught.value.message) < 200
    assert caught.value.hint
