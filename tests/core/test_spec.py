"""The description of a model."""

import json

import pytest

from vitpanel.core.grid import CLS, REGISTER, Grid
from vitpanel.core.spec import ViTSpec, head_name, short_head_name


@pytest.mark.parametrize("grid", [Grid(14, 14), Grid(3, 5, (CLS, REGISTER)), Grid(4, 4, ())], ids=str)
def test_a_spec_survives_json(grid: Grid):
    spec = ViTSpec(n_layers=2, n_heads=3, grid=grid, image_size=(28, 42), pooling="token", n_classes=10)
    assert ViTSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_heads_are_named_as_in_the_paper():
    assert head_name(0, 4) == "layer 0 head 4"
    assert short_head_name(11, 2) == "L11 H2"
