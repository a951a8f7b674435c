"""All heads of an image from one forward of a real model: thumbnails, and what each token receives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from tests.tiny_vit import write_checkpoint
from vitpanel.app.inference import ModelService
from vitpanel.app.session_inference import SessionInference
from vitpanel.drawing.thumbnails import thumbnails
from vitpanel.models.ablation import create_ablation
from vitpanel.models.images import decode_crop
from vitpanel.models.loading import load_model
from vitpanel.models.probe import output_hook
from vitpanel.state.online import Online
from vitpanel.state.queries.token_set import token_shares
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
        service.answers.loaded = (model, create_ablation(model))
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
    with output_hook(service.answers.loaded[0].module, lambda _: forwards.append(1)):
        atlas = answer(service, "atlas", 2)
    assert len(forwards) == n_forwards
    assert atlas.dtype == np.uint8
    for layer in range(spec.n_layers):
        shown = answer(other, "attention", 2, layer)
        matrices = np.stack([shown[head] for head in range(spec.n_heads)])
        # Two forwards may differ in the last bit, and so in a step of a picture.
        assert np.abs(atlas[layer].astype(int) - thumbnails(matrices, spec.grid)).max() <= 1
    assert service.answers.cache.get(("atlas", 2)) is atlas


@pytest.mark.parametrize("n_forwards", [0, 1])
def test_what_tokens_receive_is_that_of_the_attention(make_service, n_forwards: int):
    service, other = make_service(), make_service()
    spec = service.study.spec
    if n_forwards == 0:
        answer(service, "attention", 2, 0)
    forwards = []
    with output_hook(service.answers.loaded[0].module, lambda _: forwards.append(1)):
        received = answer(service, "received", 2)
    assert len(forwards) == n_forwards
    assert received.shape == (2, spec.n_layers, spec.n_heads, spec.grid.n_tokens)
    for layer, head, token in np.ndindex(received.shape[1:]):
        matrix = answer(other, "attention", 2, layer)[head].astype(np.float64)
        patches = [matrix[patch, token] for patch in range(spec.grid.n_prefix, spec.grid.n_tokens)]
        expected = matrix[spec.grid.cls, token], sum(patches) / len(patches)
        assert received[:, layer, head, token] == pytest.approx(expected, rel=2e-3)
    assert service.answers.cache.get(("received", 2)) is received
    assert service.received(2) is received


def test_shares_of_a_set_are_right_within_the_rounding_that_the_docs_state(make_service):
    service = make_service()
    spec, (model, _) = service.study.spec, service.answers.loaded
    received, tokens = answer(service, "received", 2), np.isin(np.arange(spec.grid.n_tokens), (0, 3, 4, 9))
    shares, exact = token_shares(received, tokens), {}
    pixels = model.preprocessing.tensor([decode_crop(service.study.crop(2))])
    model.attend(pixels, lambda layer, attention: exact.update({layer: attention[0].numpy().astype(np.float64)}))
    for layer, head in np.ndindex(spec.n_layers, spec.n_heads):
        to_set = exact[layer][head][:, tokens].sum(-1)
        expected = to_set[spec.grid.cls], to_set[spec.grid.patches].mean()
        assert shares[:, layer, head] == pytest.approx(expected, rel=2**-10)
