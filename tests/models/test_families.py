"""Every family of timm's vision transformers at a small random size, and models that are refused.

The two tables of docs/models.md are what these tests find; `VITPANEL_WRITE_DOCS=1` writes them anew.
"""

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from tests.pruned_families import Pruned, divergence, layer_distances, random_images
from vitpanel.core.regions import PruningMode, is_defined, pruning_mask
from vitpanel.core.trust import class_arrays
from vitpanel.errors import UnsupportedModelError
from vitpanel.models.ablation import create_ablation
from vitpanel.models.loading import load_model
from vitpanel.models.model import ViTModel
from vitpanel.study.schema import array_specs, image_layouts

DOCUMENT = Path(__file__).parents[2] / "docs" / "models.md"
SMALL: dict[str, Any] = {"img_size": (48, 64), "embed_dim": 48, "depth": 2, "num_heads": 3, "num_classes": 5}
TOLERANCE = 1e-5


class Family(NamedTuple):
    """A kind of model, a member of it, and what makes it small; 3 × 4 patches wherever timm lets us."""

    title: str
    name: str
    more: dict[str, Any] = {}  # noqa: RUF012 - never written to

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of timm.create_model; None takes one out."""
        patch = re.search(r"patch14", self.name)
        size = {"img_size": (42, 56)} if patch else {}
        return {key: value for key, value in (SMALL | size | self.more).items() if value is not None}


FAMILIES = (
    Family("ViT", "vit_tiny_patch16_224"),
    Family("ViT, pooled", "vit_base_patch16_gap_224"),
    Family("ViT with registers, no CLS", "vit_medium_patch16_reg4_gap_256"),
    Family("DINOv2", "vit_small_patch14_dinov2"),
    Family("DINOv2 without a class head", "vit_small_patch14_dinov2", {"num_classes": 0}),
    Family("DINOv2 with registers", "vit_small_patch14_reg4_dinov2"),
    Family("LayerScale, parallel blocks", "vit_small_patch16_18x2_224"),
    Family("Attention and MLP side by side", "vit_base_patch16_xp_224"),
    Family("FlexiViT", "flexivit_small"),
    Family(
        "CLIP, its projection",
        "vit_base_patch16_clip_224.openai",
        {"num_classes": None, "embed_dim": 256, "num_heads": 4},
    ),
    Family("CLIP, fine-tuned", "vit_base_patch16_clip_224"),
    Family("SigLIP", "vit_base_patch16_siglip_224"),
    Family("SigLIP, pooled", "vit_base_patch16_siglip_gap_224"),
    Family("AIMv2", "aimv2_large_patch14_224"),
    Family("RADIO", "vit_base_patch16_radio_v3"),
    Family("DeiT", "deit_tiny_patch16_224"),
    Family("DeiT, distilled", "deit_tiny_distilled_patch16_224"),
    Family("DeiT III", "deit3_small_patch16_224"),
    Family("BEiT", "beit_base_patch16_224"),
    Family("BEiT v2", "beitv2_base_patch16_224"),
    Family("BEiT-3", "beit3_base_patch16_224"),
    Family("EVA", "eva_giant_patch14_224"),
    Family("EVA-02", "eva02_tiny_patch14_224"),
    Family("EVA-02 CLIP, fine-tuned", "eva02_base_patch16_clip_224"),
    Family("DINOv3", "vit_small_patch16_dinov3"),
    Family("Perception Encoder, core", "vit_pe_core_tiny_patch16_384"),
    Family("Perception Encoder, spatial", "vit_pe_spatial_tiny_patch16_512"),
    Family("RoPE-ViT", "vit_small_patch16_rope_224"),
    Family("RoPE-ViT, mixed", "vit_small_patch16_rope_mixed_224"),
    Family("RoPE-ViT with a register, no CLS", "vit_betwixt_patch16_rope_reg4_gap_256"),
    Family("Hybrid", "vit_tiny_r_s16_p8_224", {"img_size": (96, 128)}),
    Family("ViTamin", "vitamin_small_224", {"embed_dim": None, "num_heads": None}),
    Family("Relative positions", "vit_relpos_small_patch16_224"),
    Family("Relative positions, CLS", "vit_relpos_base_patch16_cls_224"),
    Family("Relative positions, CLS not read", "vit_relpos_base_patch16_clsgap_224"),
    Family("NaFlexViT", "naflexvit_base_patch16_gap"),
    Family("NaFlexViT, attention pooling", "naflexvit_base_patch16_map"),
    Family("NaFlexViT, SigLIP 2", "naflexvit_base_patch16_siglip"),
)
TINY_SWIN: dict[str, Any] = {"embed_dim": 12, "depths": (1, 1), "num_heads": (1, 2)}
REFUSED = (
    Family("ResNet", "resnet50"),
    Family("ConvNeXt", "convnext_atto"),
    Family("PoolFormer", "poolformer_s12"),
    Family("FocalNet", "focalnet_tiny_srf"),
    Family("Swin", "swin_tiny_patch4_window7_224", TINY_SWIN),
    Family("Swin v2", "swinv2_tiny_window8_256", TINY_SWIN),
    Family("MaxViT", "maxvit_rmlp_pico_rw_256"),
    Family("GCViT", "gcvit_xxtiny"),
    Family("SAM", "samvit_base_patch16", {"embed_dim": 48, "depth": 2, "num_heads": 3, "img_size": 64}),
    Family("Twins-SVT", "twins_svt_small"),
    Family("VOLO", "volo_d1_224"),
    Family("TNT", "tnt_s_legacy_patch16_224", {"depth": 1}),
    Family("MobileViT", "mobilevit_xxs"),
    Family("PVT v2", "pvt_v2_b0"),
    Family("Twins-PCPVT", "twins_pcpvt_small"),
    Family("Next-ViT", "nextvit_small"),
    Family("MobileViT v2", "mobilevitv2_050"),
    Family("CrossViT", "crossvit_tiny_240"),
    Family("XCiT", "xcit_nano_12_p16_224", {"depth": 1}),
    Family("EdgeNeXt", "edgenext_xx_small"),
    Family("CaiT", "cait_xxs24_224", {"depth": 1}),
    Family("DiffAttention", "vit_dwee_patch16_reg1_gap_256", SMALL),
    Family("ConViT", "convit_tiny"),
    Family("PiT", "pit_ti_224"),
    Family("CoAtNet", "coatnet_pico_rw_224"),
    Family("CAFormer", "caformer_s18"),
    Family("Visformer", "visformer_tiny"),
    Family("DaViT", "davit_tiny"),
    Family("LeViT", "levit_128s"),
    Family("MViT v2", "mvitv2_tiny"),
    Family("Hiera", "hiera_tiny_224"),
    Family("SAM 2", "sam2_hiera_tiny"),
    Family("TinyViT", "tiny_vit_5m_224"),
    Family("EfficientFormer", "efficientformer_l1"),
    Family("EfficientViT", "efficientvit_m0"),
    Family("iFormer", "iformer_t"),
    Family("BoTNet", "botnet26t_256"),
    Family("CoaT", "coat_lite_tiny"),
    Family("Qwen3 vision", "qwen3_vit_88m", {"depth": 1, "img_size": 64}),
    Family("DeepSeek vision", "deepseek_vit_412m", {"depth": 1, "embed_dim": 48, "num_heads": 3}),
)
WORDS = {"cls": "CLS", "register": "register", "distillation": "distillation"}
BY_TITLE = {family.title: family for family in (*FAMILIES, *REFUSED)}
supported = pytest.mark.parametrize("title", [family.title for family in FAMILIES])


@cache
def loaded(title: str) -> ViTModel:
    """Load the small member of a family with random weights, as a user loads a checkpoint."""
    family = BY_TITLE[title]
    with torch.random.fork_rng(), TemporaryDirectory() as folder:
        torch.manual_seed(0)
        module = timm.create_model(family.name, pretrained=False, **family.arguments)
        state = {key: value + 0.2 * torch.randn_like(value) for key, value in module.state_dict().items()}
        path = Path(folder) / "weights.safetensors"
        save_file({key: value.contiguous() for key, value in state.items()}, path)
        return load_model(family.name, checkpoint=path, args=family.arguments, device="cpu")


@supported
def test_a_family_passes_the_trust_checks(title: str):
    model = loaded(title)
    checks = {check.name: check for check in model.checks}
    assert {name for name, check in checks.items() if not check.passed} <= {"class_head"}
    assert checks["class_head"].passed == (model.spec.n_classes > 0)
    assert checks["attention_modules"].value == model.spec.n_layers
    assert checks["tokens"].value == model.spec.grid.n_tokens


@supported
def test_the_attention_of_a_family_is_captured_and_the_model_left_as_it_was(title: str):
    model, seen = loaded(title), {}
    images = random_images(model, 2)
    flags = [module.fused_attn for module in model.attention]
    before = model.features(images)
    model.attend(images, lambda layer, attention: seen.update({layer: attention}))
    assert list(seen) == list(range(model.spec.n_layers))
    spec = model.spec
    for attention in seen.values():
        assert attention.shape == (2, spec.n_heads, spec.grid.n_tokens, spec.grid.n_tokens)
        assert (attention.sum(-1) - 1).abs().max() < TOLERANCE
    assert [module.fused_attn for module in model.attention] == flags
    assert torch.allclose(model.features(images), before, atol=TOLERANCE)


@supported
def test_one_head_pruned_is_a_forward_with_its_attention_at_0(title: str):
    model = loaded(title)
    images, head = random_images(model, 2), (model.spec.n_layers - 1, 1)
    result = create_ablation(model, batch_size=4).leave_one_out(images, lambda _layer, _attention: None)
    cut = (*head, np.ones((model.spec.grid.n_tokens, model.spec.grid.n_tokens), bool))
    clean, pruned = Pruned(model, images), Pruned(model, images, [cut])
    expected = layer_distances(model, clean, pruned, head[0])
    for found, wanted in zip((result.layer["cls"], result.layer["patch"]), expected, strict=True):
        assert np.allclose(found[:, *head], wanted, atol=TOLERANCE, equal_nan=True)
    assert (result.pruned is None) == (model.spec.n_classes == 0)
    if result.pruned is not None:
        assert np.abs(result.pruned[:, *head] - pruned.probabilities).max() < TOLERANCE
        found = result.importance(np.zeros(2, int))["jsd"][:, *head]
        assert np.abs(found - divergence(clean.probabilities, pruned.probabilities)).max() < TOLERANCE


@supported
def test_the_modes_of_a_family_are_those_of_its_tokens(title: str):
    model = loaded(title)
    image, head = random_images(model, 1), (0, 2)
    result = create_ablation(model).modes(image, *head)
    for mode in PruningMode:
        if not is_defined(mode, model.spec.grid):
            assert np.isnan(result.layer["patch"][mode])
            continue
        cut = (*head, pruning_mask(model.spec.grid, mode.regions))
        expected = layer_distances(model, Pruned(model, image), Pruned(model, image, [cut]), head[0])
        assert abs(result.layer["patch"][mode] - expected[1][0]) < TOLERANCE


def test_two_attention_modules_of_a_block_are_two_layers_with_one_input():
    model = loaded("LayerScale, parallel blocks")
    assert model.spec.n_layers == 2 * len(model.module.blocks)  # type: ignore[arg-type]
    inputs: dict[int, torch.Tensor] = {}
    handles = [
        block.register_forward_pre_hook(lambda _block, args, i=i: inputs.update({i: args[0]}))
        for i, block in enumerate(model.module.blocks)  # type: ignore[arg-type]
    ]
    z: list[torch.Tensor] = []
    handles += [part.register_forward_hook(lambda _m, _a, out: z.append(out)) for part in model.attention]
    model.features(random_images(model, 1))
    for handle in handles:
        handle.remove()
    with torch.inference_mode():
        for layer, (block, branch) in enumerate((block, branch) for block in range(2) for branch in range(2)):
            parts = model.module.blocks[block].attns[branch]  # type: ignore[index,union-attr]
            assert torch.allclose(parts.attn(parts.norm(inputs[block])), z[layer])
            assert parts.attn is model.attention[layer]


@cache
def refusal(title: str) -> str:
    """The sentence with which a model is refused, without its name; nothing is downloaded before."""
    family = BY_TITLE[title]
    with pytest.raises(UnsupportedModelError) as caught:
        load_model(family.name, args=family.more, device="cpu")
    start = f"{family.name} is not supported: "
    assert caught.value.message.startswith(start)
    assert "vit_*" in caught.value.hint
    return caught.value.message.removeprefix(start).removesuffix(".")


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("ResNet", "no attention"),
        ("Swin", "within windows"),
        ("SAM", "heads apart"),
        ("VOLO", "within windows"),
        ("XCiT", "between channels"),
        ("EdgeNeXt", "between channels"),
        ("PVT v2", "not all tokens attend to one another"),
        ("CaiT", "mixed after the softmax"),
        ("DiffAttention", "difference of two attention matrices"),
        ("PiT", "different numbers of tokens"),
        ("Hiera", "does not hand out its weights"),
    ],
)
def test_what_is_not_token_attention_is_refused_with_the_reason(title: str, reason: str):
    assert reason in refusal(title)


def tokens_read(model: ViTModel) -> list[str]:
    """Kinds of the tokens that reach the output: those of the last block that change it when they change."""
    images, grid = random_images(model, 1), model.spec.grid
    kinds = [*grid.prefix, *["patch"] * grid.size]
    before, read = model.features(images), []
    for kind in dict.fromkeys(kinds):
        at = torch.tensor([other == kind for other in kinds])
        noise = torch.randn((len(kinds), 1), generator=torch.Generator().manual_seed(1)) * at[:, None]
        # Each channel moves differently, since a common shift would vanish in the norm that follows.
        handle = model.module.blocks[-1].register_forward_hook(  # type: ignore[index,union-attr]
            lambda _block, _args, out, n=noise: out + n * torch.linspace(-1, 1, out.shape[-1])
        )
        if not torch.allclose(model.features(images), before, atol=1e-6):
            read.append(kind)
        handle.remove()
    return read


@supported
def test_the_pooling_says_which_tokens_are_read(title: str):
    model = loaded(title)
    grid, read = model.spec.grid, tokens_read(model)
    if model.spec.pooling == "token":
        assert read == ["cls", "distillation"] if "distillation" in grid.prefix else read == ["cls"]
    else:
        assert model.spec.pooling in {"avg", "map"}
        assert "patch" in read


def listed(words: list[str]) -> str:
    return ", ".join(words) or "–"


def token_words(model: ViTModel) -> str:
    prefix = model.spec.grid.prefix
    kinds = [f"{n} {WORDS[kind]}s" if (n := prefix.count(kind)) > 1 else WORDS[kind] for kind in dict.fromkeys(prefix)]
    return listed([*kinds, f"{model.spec.grid.rows} × {model.spec.grid.cols} patches"])


def supported_row(title: str) -> str:
    model = loaded(title)
    spec = model.spec
    arrays = array_specs(spec, 1, latent_dim=8, checks={check.name: check.to_dict() for check in model.checks})
    assert (spec.n_classes == 0) == (not set(class_arrays()) & set(arrays))
    metrics = [name.removeprefix("importance/") for name in arrays if name.startswith("importance/")]
    modes = [str(int(mode)) for mode in PruningMode if is_defined(mode, spec.grid)]
    patterns = [word for name, word in (("patch", "patch"), ("cls", "CLS")) if f"layout/{name}" in arrays]
    pooling = {"token": "", "avg": ", averaged", "map": ", by attention"}[spec.pooling]
    read = [{"patch": "patches"}.get(kind, WORDS.get(kind, kind)) for kind in tokens_read(model)]
    cells = [
        title,
        f"`{BY_TITLE[title].name}`",
        token_words(model),
        listed(read) + pooling,
        listed(list(image_layouts(spec))),
        f"{listed(metrics)}; modes {', '.join(modes)}",
        "yes" if "strength" in arrays else "–",
        listed(patterns),
    ]
    return f"| {' | '.join(cells)} |"


def supported_table() -> str:
    head = "| family | example | tokens, as tested | output reads | A, laid out by | B | C | D, patterns |"
    return "\n".join([head, "|---" * 8 + "|", *(supported_row(family.title) for family in FAMILIES)])


def refused_table() -> str:
    rows = [f"| {family.title} | `{family.name}` | {refusal(family.title)} |" for family in REFUSED]
    return "\n".join(["| family | example | why |", "|---" * 3 + "|", *rows])


@pytest.mark.parametrize(("name", "table"), [("supported", supported_table), ("refused", refused_table)])
def test_the_document_has_what_is_found(name: str, table: Callable[[], str]):
    text = DOCUMENT.read_text("utf-8")
    found = re.search(rf"(?<=<!-- {name} -->\n\n).*?(?=\n\n<!-- end -->)", text, flags=re.DOTALL)
    assert found is not None
    if os.environ.get("VITPANEL_WRITE_DOCS"):
        DOCUMENT.write_text(text[: found.start()] + table() + text[found.end() :], "utf-8")
    else:
        assert found.group() == table(), "VITPANEL_WRITE_DOCS=1 writes the table anew"
