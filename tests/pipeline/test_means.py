"""Means ahead of the exact values: what stands while they do, and that nothing of it is left when all are there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny_vit import CLASSES, N_PER_CLASS, write_checkpoint
from vitpanel.core.metrics import metric_keys
from vitpanel.models.ablation import HookAblation, RestartAblation
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.means import drawn_mean, importance_mean, unpruned_mean
from vitpanel.study.own_stages import MEANS
from vitpanel.study.reader import Study, open_study
from vitpanel.study.stages import absence_words
from vitpanel.study.summary import describe
from vitpanel.study.writer import StudyWriter
from vitpanel.views.bridge import Bridge
from vitpanel.views.head_importance import HeadImportance

pytestmark = pytest.mark.slow
N_IMAGES, N_SAMPLE = N_PER_CLASS * len(CLASSES), 8
WORDS = f"estimated from {N_SAMPLE} of {N_IMAGES} images, ± 95 %"


class Interrupted(Exception):  # noqa: N818 - it is no error
    """Stands for a kill."""


class Listening(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(is_shown=False)
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def run(checkpoint: Path, images: Path, out: Path, *, progress: Progress | None = None, **more: Any) -> Study:
    options = {"class_names": CLASSES, "block_size": 5, "latent_dim": 4, "device": "cpu", "fast_means": True} | more
    recipe = Recipe(images=images, out=out, checkpoint=checkpoint, **options)
    return precompute(recipe, progress=progress or Progress(is_shown=False))


def interrupt(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, after: int) -> None:
    """Let a method work so often and then stop the run."""
    works, left = getattr(owner, name), [after]

    def stopping(*args: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted
        return works(*args, **options)

    monkeypatch.setattr(owner, name, stopping)


def shown(session: Session) -> Any:
    """Return the view, loosely typed as Bokeh's models are."""
    return HeadImportance(session, Bridge())


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a sample of eight of these few images."""
    monkeypatch.setattr("vitpanel.pipeline.means.SMALLEST_SAMPLE", N_SAMPLE)


@pytest.fixture(scope="module")
def whole(checkpoint: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a finished study that was made without estimates."""
    return run(checkpoint, images, tmp_path_factory.mktemp("out") / "whole.study", fast_means=False)


@pytest.fixture(scope="module")
def half(checkpoint: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a study whose run ended in its second block, after the means."""
    out = tmp_path_factory.mktemp("out") / "half.study"
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("vitpanel.pipeline.means.SMALLEST_SAMPLE", N_SAMPLE)
        interrupt(monkeypatch, StudyWriter, "write_block", after=1)
        with pytest.raises(Interrupted):
            run(checkpoint, images, out)
    return open_study(out)


def test_means_of_all_images_are_there_after_one_block(half: Study, whole: Study):
    assert half.n_done == 5
    labels = whole.images["label"].to_numpy()
    assert np.allclose(half["means/unpruned"], whole.images["p_true"], atol=1e-6)
    assert unpruned_mean(half) == pytest.approx(whole.images["p_true"].mean(), abs=1e-6)
    for metric in ("cls", "patch"):
        found = importance_mean(half, metric)
        assert np.allclose(found.mean, whole[f"importance/{metric}"].mean(0), atol=1e-6)
        assert found.std is not None
        assert np.allclose(found.std, whole[f"importance/{metric}"].std(0), atol=1e-6)
        assert (found.half_width, found.words) == (None, "")
    sample = np.flatnonzero(~np.isnan(half["means/sample_jsd"]).all((1, 2)))
    assert len(sample) == N_SAMPLE
    assert len(set(labels[sample])) > 1
    for metric in ("probability", "jsd"):
        assert np.allclose(half[f"means/sample_{metric}"][sample], whole[f"importance/{metric}"][sample], atol=1e-5)


def test_the_estimate_is_a_line_through_the_sample(half: Study, whole: Study):
    unpruned = whole.images["p_true"].to_numpy()[:, None, None]
    # The line is that of what is left of the probability.
    estimate, exact = unpruned - half["means/estimate"], unpruned - whole["importance/probability"]
    sample = np.flatnonzero(~np.isnan(half["means/sample_probability"][:, 0, 0]))
    found, of_sample = drawn_mean(half, "probability"), importance_mean(half, "jsd")
    lost = importance_mean(half, "probability")
    assert np.allclose(lost.mean, unpruned_mean(half) - found.mean, atol=1e-6)
    assert found.std is None
    assert found.words == of_sample.words == WORDS
    assert found.half_width is not None
    assert lost.half_width is not None
    assert np.array_equal(lost.half_width, found.half_width)
    assert of_sample.half_width is not None
    assert np.allclose(of_sample.mean, whole["importance/jsd"][sample].mean(0), atol=1e-5)
    for layer, head in np.ndindex(exact.shape[1:]):
        line = np.polyfit(estimate[sample, layer, head], exact[sample, layer, head], 1)
        expected = np.polyval(line, estimate[:, layer, head].mean())
        assert found.mean[layer, head] == pytest.approx(expected, abs=1e-4)
    # What the gradient explains of so random a model is enough to be nearer to the truth than the sample alone.
    truth, plain = exact.mean(0), exact[sample].mean(0)
    assert np.median(np.abs(found.mean - truth)) < np.median(np.abs(plain - truth)) / 2
    assert (np.abs(found.mean - truth) <= found.half_width).mean() > 0.8


def test_what_is_shown_says_that_it_is_estimated(half: Study):
    session = Session(half, selection=Selection(image=None))
    view = shown(session)
    curve, heads = session.importance_curve(), view.curve.heads.data
    assert curve.words == WORDS
    assert curve.half_width is not None
    assert np.allclose(heads["upper"], np.minimum(curve.mean + curve.half_width, 1).ravel())
    assert view.curve.figure.title.text == f"Mean {WORDS}"
    assert view.curve.figure.title.visible
    assert view.curve.mean_item.label["value"] == "mean ± 95 %"
    assert "half_width_95" in view.curve_chart.table()
    assert session.ranking().importance == pytest.approx((unpruned_mean(half) - curve.mean).ravel())
    session.selection.metric = "patch"
    assert not view.curve.figure.title.visible
    assert view.curve.mean_item.label["value"] == "mean ± std"
    text = describe(half)
    assert text.count(WORDS) == 3
    assert "means " in text


def test_an_image_has_exact_values_or_none(half: Study):
    there, missing = (np.flatnonzero(half.done_images == is_done) for is_done in (True, False))
    session = Session(half, selection=Selection(image=int(there[0])))
    chosen = session.importance_curve().chosen
    assert chosen is not None
    left = half.images["p_true"][there[0]] - half["importance/probability"][there[0]]
    assert np.allclose(chosen, left, atol=1e-7)
    assert np.isnan(half["importance/probability"][missing]).all()
    view = shown(session)
    session.selection.image = int(missing[0])
    assert f"There is no probability for image {missing[0]}" in view.curve_chart.message


def test_exact_values_take_the_place_of_the_estimate(
    half: Study, whole: Study, checkpoint: Path, images: Path, monkeypatch: pytest.MonkeyPatch
):
    pruned, leave_one_out = [], RestartAblation.leave_one_out

    def counted(self: Any, pixels: Any, on_attention: Any) -> Any:
        pruned.append(len(pixels))
        return leave_one_out(self, pixels, on_attention)

    monkeypatch.setattr(RestartAblation, "leave_one_out", counted)
    study = run(checkpoint, images, half.path)
    kept = (~np.isnan(half["means/sample_jsd"][:, 0, 0]))[5:].sum()
    assert sum(pruned) == N_IMAGES - 5 - kept
    assert study.is_finished
    for name in whole.names:
        if name.startswith(("importance/", "prob", "strength", "entropy", "patterns/cls")):
            assert np.allclose(study[name], whole[name], atol=1e-5), name
    for metric in metric_keys():
        found = importance_mean(study, metric)
        assert np.allclose(found.mean, study.mean(f"importance/{metric}"), rtol=1e-6)
        assert (found.half_width, found.words) == (None, "")
    assert "estimated" not in describe(study)


def test_a_run_that_is_killed_in_the_means_goes_on_with_the_same_sample(
    checkpoint: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: Study
):
    with monkeypatch.context() as patch:
        interrupt(patch, RestartAblation, "first_order", after=2)
        with pytest.raises(Interrupted):
            run(checkpoint, images, tmp_path / "a.study")
    begun = open_study(tmp_path / "a.study")
    assert begun.reason("means/patch") == absence_words(MEANS)
    with monkeypatch.context() as patch:
        interrupt(patch, StudyWriter, "write_block", after=0)
        with pytest.raises(Interrupted):
            run(checkpoint, images, tmp_path / "a.study")
    study = open_study(tmp_path / "a.study")
    assert study.manifest.stages[MEANS]["detail"] == {"resumed_at": 10, "n_sample": N_SAMPLE}
    for name in study.names:
        if name.startswith("means/"):
            assert np.allclose(study[name], half[name], atol=1e-6, equal_nan=True)
    # Nothing is pruned of any image, and the curve is there.
    view = shown(Session(study, selection=Selection(image=None)))
    assert view.curve_chart.message == ""
    assert view.curve.figure.title.text == f"Mean {WORDS}"


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("no classes", "without classes all metrics take one forward"),
        ("hooks", "not of a known structure"),
        ("few images", "of 24 images it would prune 24"),
    ],
)
def test_where_it_does_not_help_that_is_said(
    checkpoint: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, words: str
):
    if case == "no classes":
        checkpoint = write_checkpoint(tmp_path / "headless.safetensors", sizes={"num_classes": 0})
    elif case == "hooks":
        monkeypatch.setattr("vitpanel.pipeline.work.create_ablation", lambda model, **_: HookAblation(model, 8))
    else:
        monkeypatch.setattr("vitpanel.pipeline.means.SMALLEST_SAMPLE", 30)
    interrupt(monkeypatch, StudyWriter, "write_block", after=0)
    progress, names = Listening(), None if case == "no classes" else CLASSES
    with pytest.raises(Interrupted):
        run(checkpoint, images, tmp_path / "a.study", progress=progress, class_names=names)
    assert any("--fast-means has no effect" in text and words in text for text in progress.said)
