"""An exported study without a browser: its pages, which images have one, and what is left out with its reason."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.app.report.test_report import HOSTILE, Tags
from tests.fakes import FakeModel
from tests.hostile_studies import images_with, manifest_with
from tests.synthetic import write_synthetic_study
from vitpanel.app.report.drawn import LEFT_OUT
from vitpanel.app.report.folder import export_study
from vitpanel.app.report.image_choice import N_IMAGES, first_images, image_selection, shown_metrics
from vitpanel.core.metrics import metric_keys, metric_of
from vitpanel.errors import ChoiceError
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("export") / "a.study"))


def pages_of(study: Study, out: Path, **options) -> dict[str, str]:
    """All pages by their names."""
    index = export_study(study, out, **options).index
    return {page.name: page.read_text("utf-8") for page in index.parent.glob("*.html")}


def links(page: str) -> list[str]:
    return [attrs["href"] for tag, attrs in Tags(page).tags if tag == "a"]


def test_all_pages_are_linked_and_read_what_is_beside_them_alone(study: Study, tmp_path: Path):
    pages = pages_of(study, tmp_path / "out", images=[5, 2, 5], live=FakeModel(study.spec))
    assert sorted(pages) == ["image-2.html", "image-5.html", "index.html"]
    assert links(pages["index.html"]) == ["image-5.html", "image-2.html"]
    assert links(pages["image-5.html"]) == ["index.html", "image-2.html"]
    assert links(pages["image-2.html"]) == ["index.html", "image-5.html"]
    for page in pages.values():
        named = [attrs.get("src") or attrs.get("href") or "" for tag, attrs in Tags(page).tags if tag != "a"]
        files = {name for name in named if name and not name.startswith("data:")}
        assert files == {"style.css", "bokeh.min.js", "draw.js"}
        assert all((tmp_path / "out" / name).is_file() for name in files)
        assert re.findall("script-src ([^;]*);", page) == ["'self' file:"]
        assert str(tmp_path) not in page


def test_the_index_has_the_card_every_metric_and_all_heads(study: Study, tmp_path: Path):
    page = pages_of(study, tmp_path / "out", images=[1])["index.html"]
    words = Tags(page).words
    assert page.count("importance_curve") == 0, "Python's names are not the reader's"
    assert "synthetic_vit from tests.synthetic" in words
    is_judged = study.images["label"].to_numpy() >= 0
    mean = study[f"importance/{Selection(study).metric}"][is_judged].mean(axis=0, dtype=np.float64)
    assert "the line marks L{} H{}.".format(*np.unravel_index(mean.argmax(), mean.shape)) in words
    for importance in mean.ravel():
        assert f"{importance:.4g}".replace("-", "−") in words
    n_rows = page.count('<tr><td class="number">')
    assert n_rows == study.spec.is_there.sum()
    assert page.count("data-for=") == len(metric_keys()) + 1 + 1 + 4 + 2


def test_every_curve_has_the_title_and_the_words_of_its_metric(study: Study, tmp_path: Path):
    page = pages_of(study, tmp_path / "out", images=[1])["index.html"]
    words = Tags(page).words
    for metric in map(metric_of, shown_metrics(study)):
        assert page.count(f"Importance by {metric.label}, mean of all images") == 1
        label = metric.axis_label
        assert words.count(f"{label[0].upper()}{label[1:]}, of every head, layer by layer") == 1


def test_the_page_of_an_image_shows_the_head_that_matters_most_on_it(study: Study, tmp_path: Path):
    importance = study[f"importance/{Selection(study).metric}"]
    pages = pages_of(study, tmp_path / "out", images=[0, 7], live=FakeModel(study.spec))
    for image in (0, 7):
        layer, head = np.unravel_index(np.nanargmax(importance[image]), importance[image].shape)
        words = Tags(pages[f"image-{image}.html"]).words
        assert f"L{layer} H{head} is the head that matters most on this image" in words
        assert LEFT_OUT not in words


def test_without_the_model_a_page_says_what_it_lacks(study: Study, tmp_path: Path):
    pages = pages_of(study, tmp_path / "out", images=[3])
    assert LEFT_OUT in pages["image-3.html"]
    assert LEFT_OUT not in pages["index.html"]


def test_the_first_images_are_of_different_classes_and_the_best_of_each(study: Study):
    chosen = first_images(study)
    assert len(chosen) == min(N_IMAGES, study.n_images)
    layer, head = image_selection(study, None).chosen_head
    worth = study[f"importance/{Selection(study).metric}"][:, layer, head]
    labels, predicted = (study.images[name].to_numpy() for name in ("label", "predicted"))
    labels = np.where(labels >= 0, labels, predicted)
    classes = labels[chosen][: len(set(labels))]
    assert len(set(classes)) == len(classes)
    for image, label in zip(chosen, classes, strict=False):
        assert worth[image] == worth[labels == label].max()


def test_an_image_that_is_not_there_is_refused_before_anything_is_written(study: Study, tmp_path: Path):
    with pytest.raises(ChoiceError, match="image"):
        export_study(study, tmp_path / "out", images=[0, study.n_images])
    assert not (tmp_path / "out").exists()


def test_what_others_put_into_the_folder_stays(study: Study, tmp_path: Path):
    pages_of(study, tmp_path / "out", images=[1])
    (tmp_path / "out" / "mine.html").write_text("mine")
    assert sorted(pages_of(study, tmp_path / "out", images=[2])) == ["image-2.html", "index.html", "mine.html"]


@pytest.mark.parametrize(
    "sizes", [{"finished": False}, {"n_classes": 0}, {"prefix": ()}, {"n_classes": 0, "prefix": ("register",)}]
)
def test_every_study_has_pages(tmp_path: Path, sizes):
    study = open_study(write_synthetic_study(tmp_path / "b.study", **sizes))
    undone = np.flatnonzero(~study.done_images).tolist()[:1]
    assert all(study.done_images[image] for image in first_images(study))
    pages = pages_of(study, tmp_path / "out", images=[*first_images(study)[:1], *undone])
    assert len(pages) == 2 + len(undone)
    for image in undone:
        assert image_selection(study, image).chosen_head == Selection(study).chosen_head
        assert "No importance is known on this image" in pages[f"image-{image}.html"]
    assert pages["index.html"].count("<figure") >= len(shown_metrics(study)) + 4


def test_names_cannot_be_html(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "<b>a.study", n_images=6)
    images_with(file=[f"{HOSTILE}{i}.png" for i in range(6)], label_name=[HOSTILE] * 6)(path)
    manifest_with("model.name", HOSTILE)(path)
    plain = write_synthetic_study(tmp_path / "plain.study", n_images=6)
    of_both = [pages_of(open_study(each), tmp_path / f"out-{i}", images=[1, 4]) for i, each in enumerate((path, plain))]
    for name in of_both[1]:
        tags = [Tags(pages[name]) for pages in of_both]
        kinds = [
            [(tag, sorted(attrs)) for tag, attrs in each.tags if tag in {"script", "img", "b", "a"}] for each in tags
        ]
        assert kinds[0] == kinds[1]
        assert HOSTILE in tags[0].words
