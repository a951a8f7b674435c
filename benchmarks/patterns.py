"""Find which vectors of a head's attention among patches tell the heads apart.

    python benchmarks/patterns.py --study X.study [--json FILE]

A head that does the same on every image should lie with itself: for each representation, the share of a vector's 10
nearest neighbours that are the same head (layer and index) on another image, and the silhouette of the heads as
clusters, both among the vectors and in their t-SNE layout. The attention is computed anew from the study's images.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cyclopts import App
from scipy.sparse import csr_array
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.metrics import silhouette_score

from vitpanel.core.neighbours import nearest_neighbours
from vitpanel.core.patterns import offset_shares, patch_matrix, pooled_side
from vitpanel.models.images import decode_crop
from vitpanel.models.model import ViTModel
from vitpanel.models.restoring import restore_model
from vitpanel.pipeline.known_weights import known_weights
from vitpanel.pipeline.layout import tsne
from vitpanel.study.reader import Study, open_study

COARSE_SIDE = 8
N_COMPONENTS = 32
AT_ONCE = 4

app = App(help=__doc__)


@app.default
def main(*, study: Path, json_file: Path | None = None, checkpoint: Path | None = None, images: int = 100) -> None:
    """Print the table, and write it as JSON.

    Parameters
    ----------
    study
        Folder of a finished study.
    json_file
        Where to write the figures.
    checkpoint
        The model's weights, when this machine has not computed the study.
    images
        At most so many of the study's images.
    """
    opened = open_study(study)
    n_images = min(images, opened.n_images)
    labels = np.tile(np.arange(opened.spec.n_layers * opened.spec.n_heads), n_images)
    print(f"{n_images} images × {labels.max() + 1} heads; by chance {1 / (labels.max() + 1):.3f} of neighbours agree\n")
    print("| representation | values | same head | same head, t-SNE | silhouette | silhouette, t-SNE |")
    print("|---|---|---|---|---|---|")
    results: list[dict[str, Any]] = []
    for name, vectors in representations(opened, _model(opened, checkpoint), n_images).items():
        results.append({"representation": name} | scores(vectors, labels, seed=opened.manifest.settings["seed"]))
        row = results[-1]
        figures = (row[key] for key in ("same_head", "same_head_tsne", "silhouette", "silhouette_tsne"))
        print(f"| {name} | {row['values']} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |", flush=True)
    if json_file:
        json_file.write_text(json.dumps({"study": str(study), "images": n_images, "results": results}, indent=1))


def scores(vectors: np.ndarray, labels: np.ndarray, *, seed: int) -> dict[str, Any]:
    """How well one representation and its layout tell heads apart, and what the layout took."""
    started = time.process_time()
    places = tsne(vectors, seed=seed, on_step=lambda _: None).places
    seconds = time.process_time() - started
    return {
        "values": vectors.shape[1],
        "same_head": same_head_share(vectors, labels),
        "same_head_tsne": same_head_share(places, labels),
        "silhouette": float(silhouette_score(vectors, labels)),
        "silhouette_tsne": float(silhouette_score(places, labels)),
        "tsne_cpu_seconds": seconds,
    }


def same_head_share(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Share of the nearest neighbours of all vectors that are of the same head."""
    return float((labels[nearest_neighbours(vectors, np.arange(len(labels)))] == labels[:, None]).mean())


def representations(study: Study, model: ViTModel, n_images: int) -> dict[str, np.ndarray]:
    """Vectors ``(n_images · n_layers · n_heads, d)`` by name."""
    grid = study.spec.grid
    pooled = _from_attention(
        study, model, n_images, lambda a: patch_matrix(a, grid, max_side=COARSE_SIDE).reshape(*a.shape[:2], -1)
    )
    offsets = _from_attention(study, model, n_images, lambda a: offset_shares(a, grid).reshape(*a.shape[:2], -1))
    flat = {
        name: study[name][:n_images].reshape(len(pooled), -1)
        for name in ("latents", "patterns/patch_top", "patterns/cls")
        if name in study
    }
    side = pooled_side(grid, max_side=COARSE_SIDE)
    n_components = min(N_COMPONENTS, len(pooled) - 1)
    ones = _sparse(flat["patterns/patch_top"], (pooled_side(grid)[0] * pooled_side(grid)[1]) ** 2)
    result = {
        f"A_patch pooled to {side[0]} × {side[1]} patches": pooled,
        f"its first {n_components} principal components": PCA(n_components, random_state=0).fit_transform(pooled),
        f"binarised A_patch, {n_components} singular vectors": TruncatedSVD(n_components, random_state=0).fit_transform(
            ones
        ),
        "latents of the autoencoder (the paper's)": flat["latents"],
        "shares by offset": offsets,
        "square roots of the shares by offset": np.sqrt(offsets),
    }
    if "patterns/cls" in flat:
        result["A_CLS, for comparison"] = flat["patterns/cls"].astype(np.float32)
    return result


def _model(study: Study, checkpoint: Path | None) -> ViTModel:
    source = study.manifest.model
    path = checkpoint or known_weights(source["weight_hash"])
    if path is None:
        sys.exit("Give the study's weights with --checkpoint.")
    return restore_model(source, path)


def _from_attention(
    study: Study, model: ViTModel, n_images: int, reduced: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Reduce the attention of all heads, ``(n, n_heads, n_tokens, n_tokens)``, to vectors while the model runs."""
    parts: list[np.ndarray] = []
    for start in range(0, n_images, AT_ONCE):
        crops = [decode_crop(study.crop(image)) for image in range(start, min(start + AT_ONCE, n_images))]
        layers: list[np.ndarray] = []
        model.attend(
            model.preprocessing.tensor(crops), lambda _, a, to=layers: to.append(reduced(a.float().cpu().numpy()))
        )
        parts.append(np.stack(layers, 1))
    return np.concatenate(parts).reshape(n_images * study.spec.n_layers * study.spec.n_heads, -1)


def _sparse(ones: np.ndarray, n_values: int) -> csr_array:
    bounds = np.arange(len(ones) + 1) * ones.shape[1]
    shape = (len(ones), n_values)
    return csr_array((np.ones(ones.size, np.float32), ones.ravel().astype(np.int32), bounds), shape=shape)


if __name__ == "__main__":
    app()
