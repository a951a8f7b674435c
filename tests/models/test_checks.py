"""Trust checks: each of them can fail, and turns off what it decides."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.tiny_vit import write_checkpoint
from vitpanel.core.trust import ATTENTION_ARRAYS, Check, class_arrays, read_checks, turned_off
from vitpanel.errors import UnsupportedModelError
from vitpanel.models.checks import class_check
from vitpanel.models.loading import checked_on, load_model
from vitpanel.models.model import ViTModel
from vitpanel.models.structure import noise, trace


@pytest.fixture
def model(tmp_path: Path) -> ViTModel:
    return load_model(None, checkpoint=write_checkpoint(tmp_path / "a.safetensors"), device="cpu")


class Half(nn.Dropout):
    """Hands out half of the attention, whatever it is given."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - torch's name
        return input / 2


def attention(model: ViTModel, layer: int) -> Any:
    return model.attention[layer]


def measured(model: ViTModel) -> dict[str, Check]:
    return {check.name: check for check in checked_on(model, noise(1, model.preprocessing.input_size)).checks}


def test_a_sound_model_passes_with_its_figures(model: ViTModel):
    checks = measured(model)
    assert list(checks) == ["attention_modules", "fused_difference", "row_sum_error", "tokens", "heads", "class_head"]
    assert all(check.passed for check in checks.values())
    assert (checks["attention_modules"].value, checks["attention_modules"].limit) == (2, 2)
    assert (checks["tokens"].value, checks["tokens"].limit) == (17, 17)
    assert (checks["heads"].value, checks["heads"].limit) == (3, 3)
    assert 0 <= checks["fused_difference"].value <= checks["fused_difference"].limit


def test_the_difference_is_that_between_fused_and_unfused_outputs(model: ViTModel):
    image = noise(1, model.preprocessing.input_size)
    with torch.inference_mode():
        fused = model.module(image)
        for module in model.attention:
            module.fused_attn = False  # type: ignore[assignment]
        unfused = model.module(image)
        for module in model.attention:
            module.fused_attn = True  # type: ignore[assignment]
    assert measured(model)["fused_difference"].value == float((fused - unfused).abs().max())


def test_attention_that_is_another_when_it_is_read_refuses_the_model_with_the_figure(model: ViTModel):
    # The fused kernel does not look at this scale.
    attention(model, 1).scale *= 3
    with pytest.raises(UnsupportedModelError, match=r"outputs differ by at most .* instead of fused \(limit"):
        measured(model)


def test_rows_that_do_not_sum_to_1_turn_off_strength_and_patterns_alone(model: ViTModel):
    for module in model.attention:
        module.attn_drop = Half(0.0)
        module.fused_attn = False  # type: ignore[assignment]
    check = measured(model)["row_sum_error"]
    assert not check.passed
    assert check.value == pytest.approx(0.5, abs=1e-4)
    off = turned_off({"row_sum_error": check.to_dict()})
    assert off == dict.fromkeys(ATTENTION_ARRAYS, check.sentence)
    assert "not shares of attention" in check.sentence


def test_a_module_that_is_passed_by_refuses_the_model(model: ViTModel):
    block = model.module.blocks[1]  # type: ignore[index]
    block.attn.forward = lambda x, **_options: x  # type: ignore[union-attr,method-assign]
    with pytest.raises(UnsupportedModelError, match="1 of 2 attention modules"):
        measured(model)
    with pytest.raises(UnsupportedModelError, match="only 1 of its 2 attention modules"):
        trace(model.module, "tampered", model.preprocessing.input_size)


def test_one_module_in_two_layers_is_refused(model: ViTModel):
    model.module.blocks[1].attn = model.module.blocks[0].attn  # type: ignore[index,union-attr]
    with pytest.raises(UnsupportedModelError, match="runs more than once"):
        trace(model.module, "tampered", model.preprocessing.input_size)


def test_attention_without_a_way_in_beside_others_is_refused(model: ViTModel):
    class Hidden(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.scaled_dot_product_attention(x, x, x)

    model.module.norm = nn.Sequential(Hidden(), model.module.norm)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedModelError, match="1 of its attention layers keep their weights"):
        trace(model.module, "tampered", model.preprocessing.input_size)


def test_a_grid_that_does_not_make_up_the_tokens_is_refused(model: ViTModel):
    model.module.patch_embed.grid_size = (3, 5)  # type: ignore[union-attr]
    with pytest.raises(UnsupportedModelError, match="17 rows, but 1 prefix tokens and 3 × 5 patches make 16"):
        trace(model.module, "tampered", model.preprocessing.input_size)


def test_heads_that_are_not_those_stated_are_refused(model: ViTModel):
    attention(model, 0).register_forward_pre_hook(lambda module, _args: setattr(module, "num_heads", 3))
    attention(model, 0).register_forward_hook(lambda module, _args, _out: setattr(module, "num_heads", 4))
    with pytest.raises(UnsupportedModelError, match="for 4 heads"):
        measured(model)


@pytest.mark.parametrize(
    ("n_outputs", "n_classes", "n_names", "reason", "passed"),
    [(4, 4, 4, "", True), (4, 4, 0, "", True), (5, 4, 4, "", False), (None, 0, 0, "No head.", False)],
)
def test_the_class_head_has_as_many_outputs_as_classes_are_named(
    n_outputs: int | None, *, n_classes: int, n_names: int, reason: str, passed: bool
):
    check = class_check(n_outputs, n_classes, n_names=n_names, reason=reason)
    assert check.passed == passed
    assert turned_off({"class_head": check.to_dict()}) == (
        {} if passed else dict.fromkeys(class_arrays(), check.sentence)
    )


def test_checks_come_back_from_the_manifest_and_older_figures_are_left_aside(model: ViTModel):
    kept = {check.name: check.to_dict() for check in model.checks}
    assert read_checks({"largest_difference": 1e-6} | kept) == list(model.checks)
    assert turned_off({"row_sum_error": 0.5}) == {}
