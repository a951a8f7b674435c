"""A logistic head fitted on the pooled features of the loaded images, for models without a class head."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from vitpanel.errors import ImageSourceError
from vitpanel.models.class_head import LinearHead
from vitpanel.models.loading import without_classes
from vitpanel.models.model import ViTModel
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.source import ImageSource

TEST_SHARE = 0.25
INVERSE_PENALTY = 0.01  # of standardised features, of which there are often more than images
MAX_STEPS = 2_000


def fit_probe(model: ViTModel, source: ImageSource, *, batch_size: int, seed: int, progress: Progress) -> LinearHead:
    """Fit a logistic head on three quarters of each class and measure it on the rest.

    Parameters
    ----------
    model
        Loses its class head, if it has one.
    source
        Images without a label are left aside.

    Returns
    -------
    A head for the features as they are; its ``about`` has the split, the accuracy on either part, and the numbers
    of the images held out.

    Raises
    ------
    ImageSourceError
        If there are not two classes, of which at least one has two images.
    """
    names = source.table["label_name"].to_numpy()
    rows = np.flatnonzero(names != "")
    classes, labels = np.unique(names[rows], return_inverse=True)
    train, test = split(labels, seed=seed)
    if len(classes) < 2 or len(test) == 0:  # noqa: PLR2004 - a head tells two classes apart
        message = f"A probe cannot be fitted: the images have {len(rows)} labels of {len(classes)} classes."
        raise ImageSourceError(message, hint="Give at least two folders of images with two images or more.")
    features = _features(without_classes(model), source, rows, batch_size=batch_size, progress=progress)
    weight, bias = fit_logistic(features[train], labels[train])
    right = (features @ weight.T + bias).argmax(1) == labels
    about = {
        "kind": "probe",
        "n_train": len(train),
        "n_test": len(test),
        "accuracy_train": float(right[train].mean()),
        "accuracy_test": float(right[test].mean()),
        "test_images": rows[test].tolist(),
    }
    tensors = (torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in (weight, bias))
    return LinearHead(*tensors, class_names=tuple(classes.tolist()), about=about)


def split(labels: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Hold out a quarter of each class, at least one image of those that have two.

    Returns
    -------
    Places of the images to fit on and of those to test on, each ascending.
    """
    generator, test = np.random.default_rng(seed), []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        if len(members) > 1:
            test.extend(members[: max(1, round(TEST_SHARE * len(members)))])
    held_out = np.sort(np.array(test, int))
    return np.setdiff1d(np.arange(len(labels)), held_out), held_out


def fit_logistic(features: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight ``(n_classes, width)`` and bias ``(n_classes,)`` of a logistic regression on standardised features.

    The standardisation is part of both, so that they apply to the features as they are.
    """
    mean, std = features.mean(0), features.std(0)
    scale = np.where(std > 0, std, 1)
    logistic = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_STEPS).fit((features - mean) / scale, labels)
    weight, bias = logistic.coef_, logistic.intercept_
    if len(weight) == 1:
        # For two classes there is one row, the logarithm of their odds.
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    weight = weight / scale
    return weight, bias - weight @ mean


def _features(
    model: ViTModel, source: ImageSource, rows: np.ndarray, *, batch_size: int, progress: Progress
) -> np.ndarray:
    """Pooled features of images, float64 ``(len(rows), width)``."""
    files, parts = source.table["file"].to_numpy(), []
    with progress.bar("features for the probe", total=len(rows), unit="image") as bar:
        for start in range(0, len(rows), batch_size):
            batch = files[rows[start : start + batch_size]]
            crops = [model.preprocessing.crop(source.read(file)) for file in batch]
            parts.append(model.features(model.preprocessing.tensor(crops)).cpu().double().numpy())
            bar.update(len(batch))
    return np.concatenate(parts)
