"""All heads of an image from one forward of a real model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from tests.tiny_vit import write_checkpoint
from vitpanel.app.inference import ModelService, SessionInference
from vitpanel.drawing.thumbnails import thumbnails
from vitpanel.models.ablation import create_ablation
from vitpanel.models.loading import load_model
from vitpanel.models.probe import output_hook
from vitpanel.state.online import Online
from vitpanel.study.reader import open_study


@pytest.fixture(scope="module")
def make_service(tmp_path_factory: pytest.TempPathFactory):
    """Serve a tiny model on the images of a synthetic study of its size."""
    folder: Path = tmp_path_factory.mktemp("atlas")
    study = open_study(write_synthetic_study(folder / "a.study", n_classes=4))
    model = load_model("vit_tiny_patch16_224", checkpoint=write_checkpoint(folder / "tiny.safetensors"))
    assert model.spec == study.spec

    def make() -> ModelService:
        service = ModelService(study)
        service._loaded = (model, create_ablation(model))
        return service

    return make


def answer(service: ModelService, kind: str, *key: int) -> Any:
    found: list[Online] = []
    getattr(SessionInference(service), kind)(*key, found.append)
    assert found[-1].status == "done", found[-1]
    return found[-1].value


@pytest.mark.parametrize("n_forwards", [0, 1])
def test_atlas_is_that_of_the_attention(make_service, n_forwards: int):
    service, other = make_service(), make_service()
    spec = service.study.spec
    if n_forwards == 0:
        answer(service, "attention", 2, 0)
    forwards = []
    with output_hook(service._loaded[0].module, lambda _: forwards.append(1)):
        atlas = answer(service, "atlas", 2)
    assert len(forwards) == n_forwards
    assert atlas.dtype == np.uint8
    for layer in range(spec.n_layers):
        shown = answer(other, "attention", 2, layer)
        matrices = np.stack([shown[head] for head in range(spec.n_heads)])
        # Two forwards may differ in the last bit, and so in a step of a picture.
        assert np.abs(atlas[layer].astype(int) - thumbnails(matrices, spec.grid)).max() <= 1
    assert service.cache.get(("atlas", 2, -1, -1)) is atlas
