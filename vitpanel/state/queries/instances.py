"""How many heads and images are in a set of heads on images."""

import numpy as np

from vitpanel.study.reader import Study


def heads_per_image(mask: np.ndarray) -> np.ndarray:
    """How many heads of each image are in a set, int ``(n_images,)``, from a mask ``(n_images, n_layers, n_heads)``."""
    return np.count_nonzero(mask, axis=(1, 2))


def images_per_head(mask: np.ndarray) -> np.ndarray:
    """On how many images each head is in a set, int ``(n_layers, n_heads)``, from a mask as for `heads_per_image`."""
    return np.count_nonzero(mask, axis=0)


def share_of_images(study: Study, n_images: np.ndarray) -> np.ndarray:
    """Share of the images that are done, from how many there are for each head, float64 ``(n_layers, n_heads)``.

    NaN for a head that the model lacks, and for all as long as no image is done.
    """
    known = study.spec.is_there & (study.n_done > 0)
    return np.divide(n_images, study.n_done, out=np.full(n_images.shape, np.nan), where=known)
