"""From a model of another library to a study, and from this to a live session: nothing on the way knows timm alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import save_file

from tests.hugging_face import write_folder
from tests.models.adapters.test_registry import random_toy
from tests.tiny_vit import write_images
from tests.toy_adapter import ToyAdapter
from vitpanel.app.inference import ModelService
from vitpanel.app.session_inference import SessionInference
from vitpanel.core.regions import PruningMode
from vitpanel.models import adapters
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.state.online import Online
from vitpanel.study.reader import Study, open_study
from vitpanel.study.summary import describe

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "_registered", [ToyAdapter()])


def model_of(title: str, folder: Path) -> dict[str, Any]:
    """What of a recipe says which model it is."""
    if title != "toy":
        return {"model": f"hf:{write_folder(folder / 'model', title)}"}
    save_file(random_toy().state_dict(), folder / "toy.safetensors")
    return {"model": "toy", "checkpoint": folder / "toy.safetensors"}


def answered(study: Study, kind: str, *where: int) -> Any:
    """What a session of the study hears in the end, from a service that loads the model anew."""
    heard: list[Online[Any]] = []
    getattr(SessionInference(ModelService(study)), kind)(*where, heard.append)
    assert heard[-1].status == "done", heard[-1].message
    return heard[-1].value


@pytest.mark.parametrize(
    ("title", "library"),
    [("vit", "transformers"), ("dinov2", "transformers"), ("dinov2 without classes", "transformers"), ("toy", "toy")],
)
def test_a_study_is_computed_and_opened_again_with_its_model(title: str, library: str, tmp_path: Path):
    images = write_images(tmp_path / "photos", n_per_class=2)
    recipe = Recipe(images=images, out=tmp_path / "x.study", latent_dim=4, device="cpu", **model_of(title, tmp_path))
    study = open_study(precompute(recipe, progress=Progress(is_shown=False)).path)
    assert study.manifest.model["adapter"] == library
    assert library in "\n".join(describe(study).splitlines())
    assert ("transformers" in study.manifest.versions) == (library == "transformers")
    image, layer, head = 3, 1, 2
    label = int(study.images["label"].iloc[image])
    pruned = answered(study, "modes", image, layer, head)
    for metric in [name.removeprefix("importance/") for name in study.names if name.startswith("importance/")]:
        stored = study[f"importance/{metric}"][image, layer, head]
        assert pruned.importance(metric, label)[PruningMode.HEAD] == pytest.approx(stored, abs=1e-5), metric
    attention = answered(study, "attention", image, layer)
    assert np.allclose(attention[head].sum(-1), 1, atol=1e-3)
    assert study["strength"].shape[:3] == (8, 2, 3)
