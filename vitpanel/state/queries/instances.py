"""A set of heads on images, told by image and by head."""

import numpy as np
import pandas as pd

from vitpanel.state.queries.marks import all_heads
from vitpanel.study.reader import Study

IMAGE_COLUMNS = ("image", "n_heads", "share")
HEAD_COLUMNS = ("layer", "head", "n_images", "share")


def heads_per_image(mask: np.ndarray) -> np.ndarray:
    """How many heads of each image are in a set, int ``(n_images,)``, from a mask ``(n_images, n_layers, n_heads)``."""
    return np.count_nonzero(mask, axis=(1, 2))


def images_per_head(mask: np.ndarray) -> np.ndarray:
    """On how many images each head is in a set, int ``(n_layers, n_heads)``, from a mask as for `heads_per_image`."""
    return np.count_nonzero(mask, axis=0)


def instance_images(study: Study, mask: np.ndarray) -> pd.DataFrame:
    """How much of each image is in a set of heads on images, one row an image.

    Returns
    -------
    The columns `IMAGE_COLUMNS`: ``n_heads`` in the set, and their ``share`` of the heads that the model has, NaN for
    an image that is not done.
    """
    n_heads = heads_per_image(mask)
    share = np.where(study.done_images, n_heads / np.count_nonzero(study.spec.is_there), np.nan)
    return pd.DataFrame({"image": np.arange(study.n_images), "n_heads": n_heads, "share": share})


def instance_heads(study: Study, mask: np.ndarray) -> pd.DataFrame:
    """How much of each head is in a set of heads on images, one row a head.

    Returns
    -------
    The columns `HEAD_COLUMNS`: ``n_images`` on which the head is in the set, and their ``share`` of the images that are
    done, NaN without any and for a place without a head.
    """
    n_images = images_per_head(mask)
    n_done = np.where(study.spec.is_there, study.n_done, 0)
    share = np.divide(n_images, n_done, out=np.full(n_images.shape, np.nan), where=n_done > 0)
    return all_heads(study).assign(n_images=n_images.ravel(), share=share.ravel())
