"""A stage that one file more adds: it is computed, gone on with, stored, read, listed and checked like the others."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file

from tests import toy_stage
from tests.entry_points import Point, registry_for_a_test
from tests.tiny_vit import ARCHITECTURE, CLASSES, SIZES, write_checkpoint, write_images
from tests.toy_stage import GAZE
from vitpanel.errors import StudyError, StudyIncompleteError, VitpanelError
from vitpanel.models.images import decode_crop
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.study import stages
from vitpanel.study.reader import Study, open_study
from vitpanel.study.stage import ArraySpec, Stage
from vitpanel.study.stages import register
from vitpanel.study.summary import describe
from vitpanel.study.verify import verify_study

pytestmark = pytest.mark.slow
IMAGE, BLOCK_SIZE, N_IMAGES = 3, 5, 12


class Listener(Progress):
    """Keeps what a run says."""

    def __init__(self) -> None:
        super().__init__(is_shown=False)
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


class Made(SimpleNamespace):
    """A recipe, and the studies that it gave without and with the toy; no test changes them."""

    recipe: Recipe
    without: Study
    study: Study


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Point]]:
    """Entry points of packages; forget after each test what it has registered; train for one epoch."""
    monkeypatch.setattr("vitpanel.models.autoencoder.MOST_SEEN", 1)
    with registry_for_a_test(stages.REGISTRY) as points:
        yield points


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Compute a study, register the toy, and run the same again."""
    folder = tmp_path_factory.mktemp("seam")
    recipe = Recipe(
        images=write_images(folder / "photos", n_per_class=3),
        out=folder / "without.study",
        checkpoint=write_checkpoint(folder / "tiny.safetensors"),
        class_names=CLASSES,
        block_size=BLOCK_SIZE,
        latent_dim=4,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vitpanel.models.autoencoder.MOST_SEEN", 1)
        without = precompute(recipe, progress=Progress(is_shown=False))
        both = Path(shutil.copytree(without.path, folder / "with.study"))
        with registry_for_a_test(stages.REGISTRY, GAZE):
            study = precompute(replace(recipe, out=both), progress=Progress(is_shown=False))
    return Made(recipe=recipe, without=without, study=study)


def again(made: Made, out: Path) -> tuple[Study, list[str]]:
    """Run the same command for a copy."""
    listener = Listener()
    return precompute(replace(made.recipe, out=out), progress=listener), listener.lines


def attention(made: Made, image: int) -> list[np.ndarray]:
    """A of each layer, by hooks on timm's own model."""
    module: Any = timm.create_model(ARCHITECTURE, pretrained=False, **SIZES).eval()
    module.load_state_dict(load_file(made.recipe.checkpoint or ""))
    found: list[np.ndarray] = []
    for block in module.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _m, _i, weights: found.append(weights[0].numpy()))
    pixels = np.asarray(decode_crop(made.study.crop(image)).convert("RGB")) / 255
    with torch.no_grad():
        module(torch.from_numpy((pixels - 0.5) / 0.5).float().permute(2, 0, 1)[None])
    return found


def test_what_is_stored_is_what_plain_forwards_give(made: Made):
    register(GAZE)
    study = open_study(made.study.path)
    assert study.is_finished
    for layer, weights in enumerate(attention(made, IMAGE)):
        for head, a in enumerate(weights):
            itself = sum(a[token, token] for token in range(1, len(a))) / (len(a) - 1)
            assert study["gaze/self"][IMAGE, layer, head] == pytest.approx(itself, abs=1e-5)
            assert study["gaze/cls"][IMAGE, layer, head] == pytest.approx(max(a[0]), abs=1e-5)


def test_it_is_everywhere_in_the_study(made: Made):
    register(GAZE)
    study = open_study(made.study.path)
    assert {"gaze/self", "gaze/cls"} <= set(study.names)
    assert "gaze/self" in study
    dataset = study.to_xarray()
    assert dataset["gaze_cls"].dims == ("image", "layer", "head")
    np.testing.assert_array_equal(dataset["gaze_cls"].values, study["gaze/cls"])
    assert dataset["gaze_cls"].attrs["stage"] == "gaze"
    assert any(line.split()[:1] == ["gaze"] and line.endswith(" s") for line in describe(study).splitlines())
    assert verify_study(study.path).damages == ()
    assert study.manifest.stages["gaze"]["arrays"] == ["gaze/self", "gaze/cls"]


def test_a_flipped_bit_of_it_is_found_and_mended(made: Made, tmp_path: Path):
    register(GAZE)
    path = Path(shutil.copytree(made.study.path, tmp_path / "a.study"))
    chunk = path / "arrays.zarr/gaze/self/c/1/0/0"
    chunk.write_bytes(bytes([*chunk.read_bytes()[:-1], chunk.read_bytes()[-1] ^ 1]))
    assert [damage.path for damage in verify_study(path).damages] == [chunk]
    mended, lines = again(made, path)
    assert "computed anew: gaze/self of block 1" in lines
    np.testing.assert_allclose(mended["gaze/self"], made.study["gaze/self"], atol=1e-5)
    assert verify_study(path).damages == ()


def test_a_study_from_before_says_what_it_lacks_and_is_whole(made: Made):
    register(GAZE)
    old = open_study(made.without.path)
    assert old.is_finished
    assert "gaze/self" not in old.names
    assert "run the same precompute command again" in old.reason("gaze/self")
    with pytest.raises(StudyIncompleteError, match="made without the stage gaze"):
        old["gaze/self"]


def test_a_run_that_stops_in_it_goes_on_with_the_block_that_it_was_at(made: Made, tmp_path: Path):
    path = Path(shutil.copytree(made.without.path, tmp_path / "a.study"))
    computed: list[int] = []

    def run(block: Any) -> dict[str, np.ndarray]:
        if is_stopped and computed:
            computed.clear()
            return toy_stage.run(None)
        computed.append(block.number)
        return toy_stage.run(block)

    is_stopped = True
    register(replace(GAZE, run=run))
    with pytest.raises(StudyError, match="Stage gaze stopped: AttributeError: 'NoneType'"):
        again(made, path)
    begun = open_study(path)
    assert not begun.is_finished
    assert "still lacks what stage gaze computes" in begun.reason("gaze/self")
    assert "gaze    not finished (asked for)" in describe(begun)
    is_stopped = False
    done, _ = again(made, path)
    assert computed == [1, 2]
    assert done.is_finished
    assert done.manifest.stages["gaze"]["detail"] == {"resumed_at": BLOCK_SIZE}
    np.testing.assert_allclose(done["gaze/cls"], made.study["gaze/cls"], atol=1e-5)


def test_without_the_stage_a_study_that_has_it_opens_and_says_so(made: Made):
    study = open_study(made.study.path)
    assert study.is_finished
    assert "gaze/self" not in study
    assert "gaze/self" not in study.names
    assert study.reason("gaze/self").startswith("Stage gaze is not installed here")
    with pytest.raises(StudyIncompleteError, match="Stage gaze is not installed here") as caught:
        study["gaze/self"]
    assert "Install the package" in caught.value.hint
    assert "Stage gaze is not installed here: what it wrote stays as it is" in describe(study)
    np.testing.assert_array_equal(study["importance/jsd"], made.without["importance/jsd"])


def test_a_run_without_the_stage_says_so_and_leaves_what_it_wrote(made: Made, tmp_path: Path):
    path = Path(shutil.copytree(made.study.path, tmp_path / "a.study"))
    chunk = path / "arrays.zarr/gaze/cls/c/2/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    found = verify_study(path)
    assert [damage.path for damage in found.damages] == [chunk]
    assert "Install the package" in found.damages[0].error.hint
    kept = {
        file: file.read_bytes()
        for file in [*path.glob("arrays.zarr/gaze/**/*"), path / "blocks/gaze.json"]
        if file.is_file()
    }
    study, lines = again(made, path)
    assert any(line.startswith("Stage gaze is not installed here") for line in lines)
    assert "left as it is, since its stage is not installed here: gaze/cls/c/2/0/0" in lines
    assert not any(line.startswith("computed anew") for line in lines)
    assert all(file.read_bytes() == data for file, data in kept.items())
    assert study.is_finished
    register(GAZE)
    again(made, path)
    np.testing.assert_allclose(open_study(path)["gaze/cls"], made.study["gaze/cls"], atol=1e-5)


def test_a_stage_that_was_begun_elsewhere_is_missed(made: Made, tmp_path: Path):
    path = Path(shutil.copytree(made.without.path, tmp_path / "a.study"))
    idle = replace(GAZE, run=lambda _block: {})
    with (
        registry_for_a_test(stages.REGISTRY, idle),
        pytest.raises(StudyError, match="Stage gaze has not computed gaze/self, gaze/cls"),
    ):
        again(made, path)
    study, lines = again(made, path)
    assert not study.is_finished
    assert "Stage gaze was begun and is not installed here: the study cannot be finished without it." in lines


def test_stages_come_after_what_they_need_and_may_be_of_one_piece(made: Made, tmp_path: Path):
    path = Path(shutil.copytree(made.without.path, tmp_path / "a.study"))

    def mean(work: Any) -> dict[str, np.ndarray]:
        return {"typical": work.study["gaze/self"].mean(0)}

    def of_heads(sizes: Any) -> list[ArraySpec]:
        return [ArraySpec("typical", ("layer", "number"), (sizes.spec.n_layers, sizes.spec.n_heads))]

    register(Stage("typical", of_heads, needs=("gaze",), per_block=False, run=mean))
    register(GAZE)
    register(replace(GAZE, name="later", arrays=lambda sizes: [sizes.per_head("later")], needs=("modes",)))
    study, lines = again(made, path)
    np.testing.assert_allclose(study["typical"], study["gaze/self"].mean(0), atol=1e-6)
    assert study.to_xarray()["typical"].dims == ("layer", "number")
    assert "Stage later is left out: it needs modes, which this run has not." in lines
    assert study.is_finished
    assert verify_study(path).damages == ()


def test_a_model_without_cls_has_the_rest(made: Made, tmp_path: Path):
    arguments = {"class_token": False, "global_pool": "avg"}
    checkpoint = write_checkpoint(tmp_path / "gap.safetensors", **arguments)
    register(GAZE)
    pole = replace(GAZE, name="pole", arrays=lambda sizes: [sizes.per_head("pole", needs=("cls",))])
    register(pole)
    recipe = replace(made.recipe, checkpoint=checkpoint, model_args=arguments, out=tmp_path / "a.study")
    study = precompute(recipe, progress=Listener())
    assert study.is_finished
    assert study["gaze/self"].shape == (N_IMAGES, 2, 3)
    assert study.reason("gaze/cls") == study.reason("pole") == "The model has no CLS token."
    assert study.manifest.stages["pole"]["detail"] == {"absent": "The model has no CLS token."}


def test_a_package_brings_one_and_a_broken_one_harms_nothing(
    made: Made, packages: list[Point], caplog: pytest.LogCaptureFixture
):
    packages += [Point("broken", ImportError("no module")), Point("other", 7)]
    packages += [Point("taken", replace(GAZE, name="heads")), Point("gaze", GAZE)]
    study = open_study(made.study.path)
    np.testing.assert_array_equal(study["gaze/self"], made.study["gaze/self"])
    said = [record.getMessage() for record in caplog.records]
    assert [words.split(" is left out: ")[1] for words in said] == [
        "ImportError: no module.",
        "it is no Stage, but of type int.",
        "something else has its name.",
    ]


def test_one_that_fails_for_the_sizes_of_a_study_is_named(made: Made):
    register(
        replace(GAZE, arrays=lambda sizes: [sizes.per_head("gaze")] if sizes.spec.n_classes == 7 else sizes.nothing)
    )
    with pytest.raises(VitpanelError, match="Stage gaze cannot say which arrays it has here") as caught:
        open_study(made.without.path)
    assert "remove the package" in caught.value.hint
