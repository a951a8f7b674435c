"""A metric that a record more adds: it is computed, stored, ranked, drawn, exported and explained like the others.

Two toys stand for all: the total variation of the predictions, and the distance of the first patch.
"""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import holoviews as hv
import numpy as np
import pytest
import torch

from tests.tiny_vit import CLASSES, write_checkpoint, write_images
from vitpanel import elements
from vitpanel.core import metrics
from vitpanel.core.metrics import Metric, register
from vitpanel.models.ablation import HookAblation
from vitpanel.models.images import decode_crop
from vitpanel.models.loading import load_model
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.state.queries.head_table import scatter_of
from vitpanel.state.saved_state import starting_values
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.state.url import apply_query, to_query
from vitpanel.study.means import drawn_mean, importance_mean
from vitpanel.study.reader import Study, open_study
from vitpanel.study.schema import image_layouts
from vitpanel.study.summary import describe
from vitpanel.study.verify import verify_study
from vitpanel.views.bridge import Bridge
from vitpanel.views.head_atlas import HeadAtlas
from vitpanel.views.head_importance import HeadImportance
from vitpanel.views.image_overview import ImageOverview
from vitpanel.views.pattern_overview import PatternOverview
from vitpanel.views.popover import chapter

pytestmark = pytest.mark.slow
IMAGE = 3
VARIATION = Metric(
    key="variation",
    label="Total variation",
    title="total variation",
    axis_label="total variation to the unpruned (%)",
    meaning="share of probability that moves",
    help="how much probability moves from class to class.",
    bounds=(0.0, 100.0),
    unit="%",
    from_pruned=lambda unpruned, pruned, _reference: 50 * np.abs(unpruned - pruned).sum(-1),
)
CORNER = Metric(
    key="corner",
    label="Corner distance",
    title="corner distance",
    axis_label="cosine distance, first patch",
    meaning="cosine distance of the first patch",
    help="how much the first patch turns.",
    bounds=(0.0, 2.0),
    needs="",
    from_distances=lambda distances, grid: distances[..., grid.patches][..., 0],
)
KEYS = (VARIATION.key, CORNER.key)


class Made(SimpleNamespace):
    """What was made for these tests: ``before`` and ``study`` are the same study without and with the toys."""

    before: dict[str, Any]
    study: Study
    checkpoint: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Compute a study, register the toys, and run the same again; they are forgotten after the last test."""
    folder = tmp_path_factory.mktemp("seam")
    checkpoint = write_checkpoint(folder / "tiny.safetensors")
    recipe = Recipe(
        images=write_images(folder / "photos", n_per_class=3),
        out=folder / "a.study",
        checkpoint=checkpoint,
        class_names=CLASSES,
        block_size=5,
        latent_dim=4,
        modes=True,
        fast_means=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vitpanel.models.autoencoder.MOST_SEEN", 1)
        patch.setattr("vitpanel.pipeline.means.SMALLEST_SAMPLE", 6)
        first = precompute(recipe, progress=Progress(is_shown=False))
        old = {name: first[name] for name in first.names}
        patch.setattr(metrics.REGISTRY, "_registered", dict(metrics.REGISTRY._registered))
        for toy in (VARIATION, CORNER):
            register(toy)
        lacking = open_study(recipe.out)
        before = {"arrays": old, "reasons": {key: lacking.reason(f"importance/{key}") for key in KEYS}}
        before["is_finished"] = lacking.is_finished
        study = precompute(recipe, progress=Progress(is_shown=False))
        yield Made(before=before, study=study, checkpoint=checkpoint)


@pytest.fixture
def session(made: Made) -> Session:
    """Look at the total variation of one image."""
    return Session(made.study, selection=Selection(image=IMAGE, metric=VARIATION.key))


def test_the_chart_of_all_heads_takes_them_as_axes(session: Session):
    session.selection.param.update(scatter_x="importance_variation", scatter_y="importance_corner")
    shown = scatter_of(session)
    assert np.array_equal(shown.x.found.per_head, session.study["importance/variation"][IMAGE])
    assert np.array_equal(shown.y.found.per_head, session.study["importance/corner"][IMAGE])
    assert shown.x.label == "total variation (%)"


def test_a_study_from_before_opens_and_the_same_run_adds_what_it_lacks(made: Made):
    assert made.before["is_finished"]
    for key, reason in made.before["reasons"].items():
        assert reason.startswith(f"The study was made before there was importance/{key}")
    for name, values in made.before["arrays"].items():
        if not name.startswith(("latents", "layout")):
            np.testing.assert_allclose(made.study[name], values, atol=1e-5, err_msg=name)
    assert made.study.is_finished
    assert verify_study(made.study.path).damages == ()


@pytest.mark.parametrize("key", KEYS)
def test_it_has_its_arrays_in_the_format(made: Made, key: str):
    mean = "means/sample_variation" if key == VARIATION.key else "means/corner"
    assert {f"importance/{key}", f"modes/{key}", mean, f"layout/images_{key}"} <= set(made.study.names)
    assert image_layouts(made.study.spec)[key] == f"layout/images_{key}"


def test_what_is_stored_is_what_whole_forwards_give(made: Made):
    study, model = made.study, load_model(None, checkpoint=made.checkpoint, device="cpu")
    pixels = model.preprocessing.tensor([decode_crop(study.crop(IMAGE))])
    z: list[np.ndarray] = []
    hooks = [part.register_forward_hook(lambda _m, _i, out: z.append(out.numpy()[0])) for part in model.attention]

    def forward() -> np.ndarray:
        z.clear()
        with torch.no_grad():
            return model.module(pixels).softmax(-1).numpy()[0].astype(np.float64)

    unpruned, clean = forward(), []
    clean[:] = z
    for layer, head in np.ndindex(2, 3):
        proj, size = model.attention[layer].proj, 8

        def without(_module: Any, given: Any, head: int = head, size: int = size) -> Any:
            kept = given[0].clone()
            kept[..., head * size : (head + 1) * size] = 0
            return (kept,)

        with proj.register_forward_pre_hook(without):
            pruned = forward()
        moved = 100 * sum(max(p - q, 0) for p, q in zip(unpruned, pruned, strict=True))
        assert study["importance/variation"][IMAGE, layer, head] == pytest.approx(moved, abs=1e-3)
        a, b = clean[layer][1].astype(np.float64), z[layer][1].astype(np.float64)
        turned = 1 - a @ b / np.sqrt((a @ a) * (b @ b))
        assert study["importance/corner"][IMAGE, layer, head] == pytest.approx(turned, abs=1e-5)
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("key", KEYS)
def test_modes_and_means_have_the_same_importance(made: Made, key: str):
    study = made.study
    np.testing.assert_allclose(study[f"modes/{key}"][..., 1], study[f"importance/{key}"], atol=1e-3)
    assert not study[f"modes/{key}"][..., 0].any()
    mean = study["means/sample_variation" if key == VARIATION.key else "means/corner"]
    sampled = ~np.isnan(mean[:, 0, 0])
    assert sampled.sum() == (6 if key == VARIATION.key else study.n_images)
    np.testing.assert_allclose(mean[sampled], study[f"importance/{key}"][sampled], atol=1e-3)


def test_both_engines_measure_it(made: Made):
    model = load_model(None, checkpoint=made.checkpoint, device="cpu")
    pixels = model.preprocessing.tensor([decode_crop(made.study.crop(IMAGE))])
    found = HookAblation(model, 8).leave_one_out(pixels, lambda _layer, _attention: None)
    importance = found.importance(np.array([made.study.images["label"][IMAGE]]))
    for key in KEYS:
        np.testing.assert_allclose(importance[key][0], made.study[f"importance/{key}"][IMAGE], atol=1e-3)


def test_it_is_in_the_summary(made: Made):
    text = describe(made.study)
    for toy in (VARIATION, CORNER):
        found = importance_mean(made.study, toy.key).mean
        layer, head = np.unravel_index(found.argmax(), found.shape)
        row = next(line for line in text.splitlines() if f"({toy.meaning})" in line)
        assert f"{toy.key} " in row
        assert f"L{layer} H{head}   {found.max():.4f}" in row


def test_it_can_be_chosen_and_ranks_the_heads(session: Session):
    study, start = session.study, starting_values(Selection())
    values = study["importance/variation"][IMAGE].ravel()
    assert session.ranking().order.tolist() == np.argsort(-values, kind="stable").tolist()
    np.testing.assert_array_equal(session.ranking().importance, values)
    query = to_query(session.selection, study=study, start=start)
    assert query["metric"] == VARIATION.key
    other = Selection()
    assert apply_query(other, query, study=study, start=start) == []
    assert other.metric == VARIATION.key
    assert apply_query(other, {"metric": "nothing"}, study=study, start=start) != []


def test_view_b_draws_and_exports_it(session: Session):
    view = HeadImportance(session, Bridge())
    assert view.metric.options[VARIATION.label] == VARIATION.key
    assert view.curve.figure.yaxis.axis_label == VARIATION.axis_label
    heads, study = view.curve.heads.data, session.study
    np.testing.assert_array_equal(heads["chosen"], study["importance/variation"][IMAGE].ravel())
    np.testing.assert_array_equal(heads["mean"], drawn_mean(study, VARIATION.key).mean.ravel())
    assert list(view.curve.reference.data["y"]) == []
    assert view.modes.figure.yaxis.axis_label == f"{VARIATION.label} ({VARIATION.unit})"
    np.testing.assert_allclose(view.modes.bars.data["value"], study["modes/variation"][IMAGE][session.chosen_head])
    assert view.ranked.heads.ranks["title"] == "total variation without the head (%), this image"
    for chart in (view.curve_chart, view.modes_chart):
        assert chart.table is not None
        assert set(chart.table()["metric"]) == {VARIATION.key}
    view.metric.value = CORNER.key
    assert session.selection.metric == CORNER.key
    assert view.curve.figure.yaxis.axis_label == CORNER.axis_label


def test_elements_draw_it_and_tables_have_it(session: Session):
    study, key = session.study, VARIATION.key
    for element in (elements.importance_curve, elements.head_ranking, elements.mode_bars):
        assert set(element(study, session.selection, table=True)["metric"]) == {key}
    figure = hv.renderer("bokeh").get_plot(elements.importance_curve(study, metric=key)).state
    assert figure.yaxis.axis_label == VARIATION.axis_label
    ranked = elements.head_ranking(study, session.selection, table=True)
    assert ranked["importance"].iloc[0] == pytest.approx(study[f"importance/{key}"][IMAGE].max())
    assert f"importance_{key}_median" in study.heads
    assert study.to_xarray()[f"importance_{key}"].dims == ("image", "layer", "head")


def test_the_maps_and_the_atlas_name_it(session: Session):
    session.selection.map_colour = "importance"
    patterns = PatternOverview(session, Bridge())
    assert patterns.plot.bar.title == "total variation without the head (%)"
    assert any(VARIATION.title in words for words in patterns.plot.own.data["words"])
    assert f"importance_{VARIATION.key}" in patterns.table()
    images = ImageOverview(session, Bridge())
    assert images.layout.options[VARIATION.label] == VARIATION.key
    images.layout.value = VARIATION.key
    assert session.image_layout == "layout/images_variation"
    atlas = HeadAtlas(session)
    atlas.switch.value = True
    assert any(f"{VARIATION.title}: rank 1 of 6" in words for _, words in atlas.strip.labels)
    assert f"importance_{VARIATION.key}" in atlas.table()


@pytest.mark.usefixtures("made")
def test_the_help_explains_it():
    text = chapter("Head Importance")
    for toy in (VARIATION, CORNER):
        assert f"<em>{toy.label}</em>: {toy.help}" in text
