"""All pruning modes computed beforehand, and what is shown from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny_vit import CLASSES, write_checkpoint
from vitpanel.core.metrics import metric_keys
from vitpanel.models.ablation import create_ablation
from vitpanel.models.images import decode_crop
from vitpanel.models.loading import load_model
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.state.session import Session
from vitpanel.study.own_stages import MODES, N_TOP_CLASSES
from vitpanel.study.reader import Study
from vitpanel.study.stages import absence_words

pytestmark = pytest.mark.slow
SIZES: dict[str, Any] = {"num_classes": 7}


def run(checkpoint: Path, images: Path, out: Path, **more: Any) -> Study:
    options = {"block_size": 5, "latent_dim": 4, "per_class": 2, "device": "cpu"} | more
    recipe = Recipe(images=images, out=out, checkpoint=checkpoint, **options)
    return precompute(recipe, progress=Progress(is_shown=False))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a model of more classes than are kept."""
    return write_checkpoint(tmp_path_factory.mktemp("seven") / "seven.safetensors", sizes=SIZES)


@pytest.fixture(scope="module")
def study(weights: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a study that was finished without modes first, on which the same command with modes went on."""
    out = tmp_path_factory.mktemp("out") / "modes.study"
    names = (*CLASSES, "e", "f", "g")
    without = run(weights, images, out, class_names=names)
    assert without.is_finished
    assert without.reason("modes/patch") == absence_words(MODES)
    return run(weights, images, out, class_names=names, modes=True)


def test_what_is_stored_is_what_the_live_model_says(study: Study, weights: Path):
    ablation = create_ablation(load_model(None, checkpoint=weights, device="cpu"))
    session = Session(study)
    for image, layer, head in [(0, 0, 2), (5, 1, 0), (7, 1, 1)]:
        pixels = ablation.model.preprocessing.tensor([decode_crop(study.crop(image))])
        live = ablation.modes(pixels, layer, head)
        session.selection.choose_pattern(image, layer, head)
        assert session.modes.status == "done"
        assert session.attention.status == "idle"
        assert live.probabilities is not None
        for metric in metric_keys():
            session.selection.metric = metric
            values, reference = session.mode_values(), session.reference_class
            assert values is not None
            assert reference is not None
            assert np.abs(values - live.drawn(metric, reference)).max() < 1e-5
        for mode in range(6):
            session.selection.mode = mode
            shown = session.predictions()
            assert shown is not None
            top = np.argsort(-live.probabilities[mode])[:N_TOP_CLASSES]
            assert list(shown.names[:N_TOP_CLASSES]) == [study.class_names[index] for index in top]
            expected = [live.probabilities[mode][study.class_names.index(name)] for name in shown.names]
            assert np.abs(shown.probabilities - expected).max() < 1e-5
            assert shown.is_true.sum() == 1
            assert np.isfinite(shown.unpruned).all()


def test_a_lost_block_is_computed_again_and_the_others_stay(study: Study, weights: Path, images: Path):
    spec = study.arrays["modes/patch"]
    chunks = [study.files.chunk("modes/patch", block, len(spec.shape)) for block in range(study.manifest.n_blocks)]
    before, times = study["modes/patch"].copy(), [chunk.stat().st_mtime_ns for chunk in chunks]
    chunks[1].unlink()
    again = run(weights, images, study.path, class_names=study.class_names, modes=True)
    assert np.allclose(again["modes/patch"], before, atol=1e-6)
    assert [chunk.stat().st_mtime_ns == time for chunk, time in zip(chunks, times, strict=True)] == [True, False]
    assert again.manifest.stages[MODES]["detail"]["resumed_at"] == 5


@pytest.mark.parametrize(
    ("sizes", "more"), [({"num_classes": 0}, {}), ({}, {"class_token": False, "global_pool": "avg"})]
)
def test_models_without_classes_or_cls(images: Path, tmp_path: Path, sizes: dict[str, Any], more: dict[str, Any]):
    checkpoint = write_checkpoint(tmp_path / "other.safetensors", sizes=sizes, **more)
    study = run(checkpoint, images, tmp_path / "other.study", per_class=1, model_args=more, modes=True)
    session = Session(study)
    session.selection.choose_pattern(2, 1, 1)
    session.selection.metric = "patch"
    values = session.mode_values()
    assert values is not None
    assert values[1] == pytest.approx(study["importance/patch"][2, 1, 1], abs=1e-5)
    assert np.isnan(values[2:5]).all() == (study.spec.grid.cls is None)
    assert ("modes/top_class" in study) == (study.spec.n_classes > 0)
    if study.spec.n_classes:
        assert not study["modes/top_class"][..., 2:5, :].any()
        assert np.isnan(study["modes/jsd"][..., 2:5]).all()
        assert np.isfinite(study["modes/jsd"][..., [0, 1, 5]]).all()
