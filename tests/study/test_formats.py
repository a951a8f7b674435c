"""Studies of older formats, as people have them on disk: they open, and their numbers are the current format's."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.study_runs import contents
from vitpanel.errors import StudyError, StudyMismatchError
from vitpanel.study.means import drawn_mean, importance_mean, unpruned_mean
from vitpanel.study.reader import Study, open_study
from vitpanel.study.schema import FORMAT_VERSION
from vitpanel.study.summary import describe
from vitpanel.study.target import check_target
from vitpanel.study.verify import verify_study
from vitpanel.study.writer import StudyWriter

DATA = Path(__file__).parent.parent / "data"
# Of image 1, as the version that wrote the studies read them: what format 1 keeps is what is left of this.
UNPRUNED, UNPRUNED_OF_MEANS = 0.027834218, 0.02783419
LEFT = [[0.004659111, 0.025859151, 0.06831264], [0.02964266, 0.014140097, 0.037781134]]
LOST = [[0.023175107, 0.001975067, -0.04047842], [-0.001808442, 0.013694121, -0.009946916]]
LEFT_BY_MODE = [0.027834184, 0.037781145, 0.02784182, 0.037777517, 0.037781145, 0.027834198]
ESTIMATE_OF_LEFT = [[0.009066819, 0.061247095, 0.115514375], [0.030997133, 0.014006608, 0.037686937]]
MEAN_LEFT = [[0.21908793, 0.237692, 0.20651658], [0.22633764, 0.24937338, 0.16602391]]
STD_LEFT = [[0.23969105, 0.29078364, 0.20377734], [0.25299653, 0.2570523, 0.19403754]]
MEAN_UNPRUNED = 0.23150014763814397
MEANS = {
    "jsd": [[0.034675527, 0.055571686, 0.011641609], [0.004328891, 0.01580973, 0.023669893]],
    "cls": [[0.116758145, 0.34262794, 0.17495553], [0.28653157, 0.24397953, 0.22553465]],
    "patch": [[0.16293344, 0.19156937, 0.17988332], [0.30098024, 0.25055858, 0.19023886]],
}
ESTIMATED_MEAN_LEFT = [[0.23045954, 0.28286487, 0.20102125], [0.22555625, 0.24848215, 0.16268533]]
HALF_WIDTH = [[0.094632275, 0.048241474, 0.120896265], [0.02868366, 0.037916996, 0.009727846]]


def archived(name: str, folder: Path) -> Path:
    """Unpack one of the kept studies of format 1."""
    shutil.unpack_archive(DATA / f"format-1-{name}.zip", folder)
    return folder / f"{name}.study"


@pytest.fixture
def whole(tmp_path: Path) -> Study:
    """Return the finished study of format 1."""
    return open_study(archived("whole", tmp_path))


@pytest.fixture
def begun(tmp_path: Path) -> Study:
    """Return the study of format 1 of which one block is missing."""
    return open_study(archived("begun", tmp_path))


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("whole", "f8b754b4cdd396a2"),
        ("begun", "cf3f5a4e093dcfb8"),
    ],
)
def test_the_kept_studies_are_those_that_were_kept(name: str, digest: str):
    assert hashlib.sha256((DATA / f"format-1-{name}.zip").read_bytes()).hexdigest()[:16] == digest


def test_a_study_of_format_1_is_whole_and_says_how_it_was_made(whole: Study):
    assert (whole.manifest.format_version, FORMAT_VERSION) == (1, 2)
    assert whole.is_finished
    found = verify_study(whole.path)
    assert (found.damages, found.n_unsealed) == ((), 0)


def test_what_format_1_has_left_of_the_probability_is_read_as_a_drop(whole: Study):
    assert whole.images["p_true"].to_numpy()[1] == pytest.approx(UNPRUNED, abs=1e-9)
    drop = whole["importance/probability"]
    assert drop.dtype == np.float32
    np.testing.assert_allclose(drop[1], LOST, atol=1e-8)
    np.testing.assert_allclose(whole.images["p_true"].to_numpy()[1] - drop[1], LEFT, atol=1e-8)
    np.testing.assert_array_equal(whole.block("importance/probability", 1), drop[3:6])
    assert not drop.flags.writeable


def test_modes_of_format_1_are_drops_against_their_own_unpruned(whole: Study):
    drop = whole["modes/probability"]
    np.testing.assert_allclose(drop[1, 1, 2], LEFT_BY_MODE[0] - np.array(LEFT_BY_MODE), atol=1e-8)
    assert not drop[..., 0].any()
    np.testing.assert_array_equal(whole.block("modes/probability", 0), drop[:3])


def test_means_of_format_1_are_drops_too(whole: Study, begun: Study):
    for study in (whole, begun):
        np.testing.assert_allclose(
            study["means/estimate"][1], UNPRUNED_OF_MEANS - np.array(ESTIMATE_OF_LEFT), atol=1e-8
        )
        sampled = np.flatnonzero(~np.isnan(study["means/sample_probability"][:, 0, 0]))
        assert sampled.tolist() == [2, 4, 5, 7]
        exact = whole["importance/probability"][sampled]
        np.testing.assert_allclose(study["means/sample_probability"][sampled], exact, atol=1e-6)


def test_means_are_those_that_format_1_had(whole: Study):
    left = drawn_mean(whole, "probability")
    np.testing.assert_allclose(left.mean, MEAN_LEFT, atol=1e-7)
    assert left.std is not None
    np.testing.assert_allclose(left.std, STD_LEFT, atol=1e-7)
    assert unpruned_mean(whole) == pytest.approx(MEAN_UNPRUNED, abs=1e-8)
    lost = importance_mean(whole, "probability").mean
    np.testing.assert_allclose(lost, MEAN_UNPRUNED - np.array(MEAN_LEFT), atol=1e-7)
    for metric, expected in MEANS.items():
        np.testing.assert_allclose(importance_mean(whole, metric).mean, expected, atol=1e-7)
    assert "probability  L1 H2   0.0655" in describe(whole)


def test_an_unfinished_study_of_format_1_has_its_rows_and_its_estimate(begun: Study):
    assert begun.n_done == 6
    drop = begun["importance/probability"]
    np.testing.assert_allclose(drop[1], LOST, atol=1e-8)
    assert np.isnan(drop[3:6]).all()
    assert np.isfinite(np.delete(drop, range(3, 6), axis=0)).all()
    found = drawn_mean(begun, "probability")
    np.testing.assert_allclose(found.mean, ESTIMATED_MEAN_LEFT, atol=1e-6)
    assert found.half_width is not None
    np.testing.assert_allclose(found.half_width, HALF_WIDTH, atol=1e-6)


def test_a_drop_is_not_made_from_probabilities_that_are_damaged(begun: Study):
    begun.files.chunk("probabilities", 0, 2).write_bytes(b"broken")
    study = open_study(begun.path)
    with pytest.raises(StudyError, match="probabilities"):
        study["importance/probability"]
    assert "probabilities" in study.reason("importance/probability")


@pytest.mark.parametrize("name", ["whole", "begun"])
def test_nothing_is_written_into_a_study_of_an_older_format(tmp_path: Path, name: str):
    study = open_study(archived(name, tmp_path))
    before = contents(study.path)
    for write in (
        lambda: check_target(study.path, study.manifest.settings),
        lambda: StudyWriter.create_or_resume(study.path, study.manifest, study.images),
    ):
        with pytest.raises(
            StudyMismatchError, match="is of format 1, and this version of vitpanel writes format 2"
        ) as e:
            write()
        assert "It can be looked at as it is" in e.value.hint
    for array in study.names:
        if array in study:
            study[array]
    assert contents(study.path) == before
