"""Draw what the autoencoder of a study makes of some heads.

    python benchmarks/reconstructions.py --study X.study --out FILE.png

Each column is one head on one image: its binarised A_patch above, the reconstruction from the latents below, dark where
an entry is likely a one. The heads are spread evenly over the average precision of their reconstruction, the worst on
the left, the best on the right; the figures are printed.
"""

from pathlib import Path

import numpy as np
from cyclopts import App
from PIL import Image
from safetensors.torch import load

from vitpanel.core.patterns import binary_matrices, pooled_side
from vitpanel.models.autoencoder import Autoencoder, average_precision, reconstruct_patterns
from vitpanel.pipeline.sampling import sampled_heads
from vitpanel.study.reader import Study, open_study

N_SCORED = 200
GAP = 6

app = App(help=__doc__)


@app.default
def main(*, study: Path, out: Path, n_heads: int = 6, side: int = 196) -> None:
    """Draw the heads and print how well each is reconstructed.

    Parameters
    ----------
    study
        Folder of a study whose latents are done.
    out
        Picture to write.
    n_heads
        Number of columns.
    side
        Pixels of a matrix.
    """
    opened = open_study(study)
    model = read_autoencoder(opened)
    ones = sampled_heads(opened, "patterns/patch_top", n_most=N_SCORED, seed=0)
    scores = np.array([average_precision(model, row[None]) for row in ones])
    chosen = np.argsort(scores)[np.linspace(0, len(ones) - 1, n_heads).round().astype(int)]
    print("average precision of the ones:", ", ".join(f"{score:.2f}" for score in scores[chosen]))
    pairs = binary_matrices(ones[chosen], model.n_cells), reconstruct_patterns(model, ones[chosen]) * ones.shape[1]
    page = Image.new("L", (n_heads * (side + GAP) - GAP, 2 * side + GAP), 200)
    for row, matrices in enumerate(pairs):
        for column, matrix in enumerate(matrices):
            picture = Image.fromarray((255 * (1 - np.sqrt(matrix.clip(0, 1)))).astype(np.uint8))
            page.paste(picture.resize((side, side), Image.Resampling.BOX), (column * (side + GAP), row * (side + GAP)))
    page.save(out)


def read_autoencoder(study: Study) -> Autoencoder:
    """Autoencoder of a study with the weights that are kept there."""
    model = Autoencoder(pooled_side(study.spec.grid), study.manifest.latent_dim)
    model.load_state_dict(load(study.read_file("autoencoder.safetensors")))
    return model.eval()


if __name__ == "__main__":
    app()
