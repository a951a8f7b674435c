"""Which arrays a model can have."""

import pytest

from tests.synthetic import synthetic_spec
from vitpanel.study.own_stages import HEADS, LATENTS, LAYOUT
from vitpanel.study.schema import absent_arrays, array_specs, image_layouts


def test_sizes_follow_the_model():
    spec = synthetic_spec(n_layers=2, n_heads=3, rows=4, cols=5, n_classes=7, prefix=("cls", "register"))
    arrays = array_specs(spec, 10, latent_dim=6)
    assert {name: array.shape for name, array in arrays.items()} == {
        "probabilities": (10, 7),
        "importance/probability": (10, 2, 3),
        "importance/jsd": (10, 2, 3),
        "importance/cls": (10, 2, 3),
        "importance/patch": (10, 2, 3),
        "importance/accuracy": (10, 2, 3),
        "entropy": (10, 2, 3),
        "distance": (10, 2, 3),
        "strength": (10, 2, 3, 5),
        "patterns/cls": (10, 2, 3, 41),
        "patterns/patch_top": (10, 2, 3, 4),
        "patterns/offset": (10, 2, 3, 63),
        "latents": (10, 2, 3, 6),
        "layout/cls": (10, 2, 3, 2),
        "layout/patch": (10, 2, 3, 2),
        "layout/offset": (10, 2, 3, 2),
        "layout/images_drop": (10, 2),
        "layout/images": (10, 2),
        "layout/images_jsd": (10, 2),
        "layout/images_cls": (10, 2),
        "layout/images_patch": (10, 2),
        "modes/probability": (10, 2, 3, 6),
        "modes/jsd": (10, 2, 3, 6),
        "modes/cls": (10, 2, 3, 6),
        "modes/patch": (10, 2, 3, 6),
        "modes/accuracy": (10, 2, 3, 6),
        "modes/top_class": (10, 2, 3, 6, 5),
        "modes/top_probability": (10, 2, 3, 6, 5),
        "means/unpruned": (10,),
        "means/estimate": (10, 2, 3),
        "means/sample_probability": (10, 2, 3),
        "means/sample_jsd": (10, 2, 3),
        "means/sample_accuracy": (10, 2, 3),
        "means/cls": (10, 2, 3),
        "means/patch": (10, 2, 3),
    }
    assert not absent_arrays(spec)
    assert all(len(array.dims) == len(array.shape) for array in arrays.values())


def test_large_grids_are_pooled_in_patch_patterns_alone():
    arrays = array_specs(synthetic_spec(rows=32, cols=32), 1, latent_dim=6)
    assert arrays["patterns/cls"].shape[-1] == 2 * 32 * 32 + 1
    assert arrays["patterns/patch_top"].shape[-1] == 656


@pytest.mark.parametrize(
    ("options", "absent", "reason"),
    [
        (
            {"prefix": ("register",)},
            {"importance/cls", "patterns/cls", "layout/cls", "layout/images_cls", "modes/cls", "means/cls"},
            "The model has no CLS token.",
        ),
        (
            {"n_classes": 0},
            {"probabilities", "importance/probability", "importance/jsd", "importance/accuracy"}
            | {"layout/images_drop", "layout/images_jsd", "layout/images_patch"}
            | {
                "modes/probability",
                "modes/jsd",
                "modes/accuracy",
                "modes/top_class",
                "modes/top_probability",
                "means/unpruned",
            }
            | {"means/estimate", "means/sample_probability", "means/sample_jsd", "means/sample_accuracy"}
            | {"means/cls", "means/patch"},
            "The model has no class head.",
        ),
    ],
)
def test_what_a_model_cannot_have_is_absent_with_the_reason(options: dict, absent: set[str], reason: str):
    spec = synthetic_spec(**options)
    assert absent_arrays(spec) == dict.fromkeys(absent, reason)
    assert not absent & set(array_specs(spec, 1, latent_dim=6))


def test_blocks_are_whole_chunks_and_layouts_one_piece():
    arrays = array_specs(synthetic_spec(), 12, latent_dim=6)
    assert arrays["strength"].chunks(5) == (5, 2, 3, 4)
    assert arrays["layout/cls"].chunks(5) == (12, 2, 3, 2)
    assert arrays["strength"].chunks(64) == (12, 2, 3, 4)
    assert [arrays[name].stage for name in ("entropy", "latents", "layout/images")] == [HEADS, LATENTS, LAYOUT]


@pytest.mark.parametrize(
    ("options", "layouts"),
    [
        (
            {},
            {
                "drop": "layout/images_drop",
                "probability": "layout/images",
                "jsd": "layout/images_jsd",
                "cls": "layout/images_cls",
                "patch": "layout/images_patch",
            },
        ),
        ({"n_classes": 0}, {"patch": "layout/images", "cls": "layout/images_cls"}),
        ({"n_classes": 0, "prefix": ()}, {"patch": "layout/images"}),
    ],
)
def test_images_are_laid_out_by_every_metric_that_the_model_has(options: dict, layouts: dict[str, str]):
    spec = synthetic_spec(**options)
    assert image_layouts(spec) == layouts
    arrays = array_specs(spec, 1, latent_dim=6)
    metrics = {name: "probability" if name == "drop" else name for name in layouts}
    assert all(layout in arrays and f"importance/{metrics[name]}" in arrays for name, layout in layouts.items())
