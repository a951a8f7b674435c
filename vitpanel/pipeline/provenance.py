"""Where a study comes from and how it is made, as its manifest keeps it."""

import platform
from importlib.metadata import version

from vitpanel.models.adapters import adapter_named
from vitpanel.models.model import ViTModel
from vitpanel.pipeline.labels import MatchedLabels
from vitpanel.pipeline.recipe import Recipe
from vitpanel.pipeline.source import ImageSource
from vitpanel.study.manifest import Manifest

VERSIONED = ("vitpanel", "torch", "timm", "numpy", "opentsne", "scikit-learn", "pillow")


def manifest_of(recipe: Recipe, model: ViTModel, source: ImageSource, matched: MatchedLabels) -> Manifest:
    """The manifest of a study that is to be made, with no stage done."""
    return Manifest(
        model={
            "name": model.source.name,
            "adapter": model.source.adapter,
            "source": "checkpoint" if model.source.checkpoint else model.source.adapter,
            "checkpoint": str(recipe.checkpoint.resolve()) if recipe.checkpoint else None,
            "revision": model.source.provenance.get("hf_hub_id"),
            "provenance": dict(model.source.provenance),
            "head": dict(model.source.head),
            "weight_hash": model.source.weight_hash,
            "args": dict(model.source.args),
            "architecture": model.source.architecture,
            "notes": list(model.source.notes),
            "in_chans": model.preprocessing.input_size[0],
            "preprocessing": model.preprocessing.to_dict(),
            "spec": model.spec.to_dict(),
            "class_names": list(matched.class_names),
        },
        images={
            "root": str(source.root.resolve()),
            "hash": source.hash,
            "n_images": len(source.table),
            "skipped": source.skipped,
            "unmatched": matched.unmatched,
            "remarks": [*source.remarks, *matched.remarks],
        },
        settings=recipe.settings,
        versions=_versions(model),
        checks={check.name: check.to_dict() for check in model.checks},
    )


def _versions(model: ViTModel) -> dict[str, str]:
    packages = (*VERSIONED, *adapter_named(model.source.adapter).packages)
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
