"""What pruning a set of heads together has done, to one image and to many, as tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vitpanel.core.importance import jensen_shannon
from vitpanel.core.pruned_images import PrunedImages, set_effect
from vitpanel.state.image_groups import NO_LABEL
from vitpanel.state.queries.pruned_set import SetJob, changes_one_by_one
from vitpanel.state.results import N_TOP
from vitpanel.study.reader import Study

COLUMNS = (
    "image", "label", "predicted", "predicted_pruned", "p_true", "p_true_pruned", "change", "one_by_one", "jsd",
)  # fmt: skip
CURVE_COLUMNS = ("n_pruned", "n_images", "accuracy", "p_true")
CLASS_COLUMNS = ("class", "unpruned", "pruned", "true_class")


@dataclass(frozen=True)
class PrunedImage:
    """What pruning a set does to one image.

    Parameters
    ----------
    classes
        The columns `CLASS_COLUMNS`: the `N_TOP` most probable classes before and after, and the true one, the most
        probable without pruning first.
    reference
        Name of the class whose probability is told: the label, else the top class without pruning.
    has_label
        Whether that is the label.
    before, after
        Its probability.
    singly
        Sum of the changes by each head alone; NaN where it is not known.
    jsd
        Of all probabilities, in bits.
    n_heads
        How many heads were pruned.
    """

    classes: pd.DataFrame
    reference: str
    has_label: bool
    before: float
    after: float
    singly: float
    jsd: float
    n_heads: int


def pruned_image(study: Study, job: SetJob, probabilities: np.ndarray) -> PrunedImage:
    """Tell what pruning the one set of a job does to its one image.

    Parameters
    ----------
    probabilities
        Without pruning and with it, ``(2, n_classes)``.
    """
    image = job.images[0]
    before, after = probabilities
    label = int(study.images["label"].iloc[image])
    reference = label if label >= 0 else int(before.argmax())
    shown = {*np.argsort(-before, kind="stable")[:N_TOP].tolist(), *np.argsort(-after, kind="stable")[:N_TOP].tolist()}
    shown |= {label} - {-1}
    rows = sorted(shown, key=lambda index: (-before[index], index))
    names = study.class_names
    classes = pd.DataFrame(
        [(names[row], float(before[row]), float(after[row]), row == label) for row in rows],
        columns=list(CLASS_COLUMNS),
    )
    return PrunedImage(
        classes=classes,
        reference=names[reference],
        has_label=label >= 0,
        before=float(before[reference]),
        after=float(after[reference]),
        singly=float(changes_one_by_one(study, job, np.array([image]))[0, 0]),
        jsd=float(jensen_shannon(before, after)),
        n_heads=len(job.sets[0]),
    )


def image_table(study: Study, found: PrunedImages, at: int = 0) -> pd.DataFrame:
    """One row an image, with the columns `COLUMNS`.

    ``p_true`` is the probability of the label, of an image without one of the top class without pruning; ``change`` is
    what pruning adds to it, ``one_by_one`` the sum of what each head of the set adds alone (NaN where the study does
    not know it).
    """
    names = np.array([*study.class_names, NO_LABEL], object)
    columns = (
        found.images,
        names[found.labels],
        names[found.predicted_before],
        names[found.predicted[:, at]],
        found.before,
        found.after[:, at],
        found.after[:, at] - found.before,
        found.singly[:, at],
        found.jsd[:, at],
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def most_changed(found: PrunedImages, count: int, at: int = 0) -> np.ndarray:
    """Rows of the images that a set changes most by their Jensen-Shannon divergence, equals by number."""
    return np.lexsort((found.images, -found.jsd[:, at]))[:count]


def curve_table(job: SetJob, found: PrunedImages) -> pd.DataFrame:
    """One row for each set of a job, with the columns `CURVE_COLUMNS`; NaN for an accuracy without labels."""
    effects = [set_effect(found, at) for at in range(len(job.sets))]
    rows = [
        (len(heads), effect.n_images, effect.accuracy_after, effect.after)
        for heads, effect in zip(job.sets, effects, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))
