"""Which heads matter, and on how many images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.state.first_values import first_values
from vitpanel.state.ranking import N_PLACES, importance_profiles, ranking, unpruned_probability
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    def make(*, n_images: int = 30, **sizes: Any) -> Study:
        path: Path = tmp_path_factory.mktemp("ranking") / "a.study"
        return open_study(write_synthetic_study(path, n_images=n_images, **sizes))

    return make


def importance(study: Study, metric: str) -> np.ndarray:
    """Eq. 3 to 6 for each image, one row an image."""
    return study[f"importance/{metric}"].reshape(study.n_images, -1)


def labelled(study: Study, metric: str) -> np.ndarray:
    """Whether an image speaks in means: without a label its probability is that of another class."""
    label = study.images["label"].to_numpy()
    return label >= 0 if metric == "probability" else label >= -1


@pytest.mark.parametrize("metric", ["probability", "jsd", "cls", "patch"])
@pytest.mark.parametrize("image", [None, 4])
def test_most_important_head_comes_first(study_of: Callable[..., Study], metric: str, image: int | None):
    study = study_of()
    found, each = ranking(study, metric, image), importance(study, metric)
    expected = each[labelled(study, metric)].mean(0) if image is None else each[image]
    assert np.allclose(found.importance, expected, atol=1e-6)
    assert (np.diff(found.importance[found.order]) <= 0).all()
    assert sorted(found.order) == list(range(6))


def test_a_newcomer_starts_with_the_head_that_comes_first(study_of: Callable[..., Study]):
    """Where an image without a label, which does not speak in the means, would put another one first."""
    study = study_of(seed=6, n_images=12)
    values = first_values(study)
    first = ranking(study, values["metric"], None).order[0]
    assert (values["layer"], values["head"]) == divmod(int(first), study.spec.n_heads)
    with_all = study.mean(f"importance/{values['metric']}")
    assert np.argmax(with_all) != first
    each = study[f"importance/{values['metric']}"][:, values["layer"], values["head"]]
    assert each[values["image"]] == each.max()


def test_profile_goes_from_the_least_to_the_most_important_image(study_of: Callable[..., Study]):
    study = study_of()
    profiles, each = importance_profiles(study, "jsd"), importance(study, "jsd")
    assert profiles.shape == (6, N_PLACES)
    assert np.allclose(profiles[:, 0], each.min(0))
    assert np.allclose(profiles[:, -1], each.max(0))
    assert (np.diff(profiles) >= 0).all()
    assert profiles is importance_profiles(study, "jsd")


def test_image_stands_on_the_profile_where_it_belongs(study_of: Callable[..., Study]):
    study = study_of()
    each = importance(study, "patch")
    least, most = int(each[:, 2].argmin()), int(each[:, 2].argmax())
    for image, place in ((least, 0), (most, 1)):
        places = ranking(study, "patch", image).places
        assert places is not None
        assert places[2] == pytest.approx(place)
    assert ranking(study, "patch", None).places is None


def test_images_that_are_not_done_do_not_count(study_of: Callable[..., Study]):
    study = study_of(finished=False)
    rows = np.flatnonzero(labelled(study, "probability")[: study.n_done])
    done = importance(study, "probability")[rows]
    assert np.allclose(importance_profiles(study, "probability")[:, 0], done.min(0), atol=1e-6)
    assert ranking(study, "probability", None).importance == pytest.approx(done.mean(0), abs=1e-6)
    assert unpruned_probability(study, None) == pytest.approx(study.images["p_true"][rows].mean())
    assert np.isnan(ranking(study, "jsd", study.n_images - 1).importance).all()
