"""Reports without a browser: what is in them, and what is left out with its reason."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import vitpanel
from tests.fakes import FakeModel
from tests.hostile_studies import images_with, manifest_with
from tests.synthetic import write_synthetic_study
from vitpanel.app.report.answers import GivenAnswers
from vitpanel.app.report.drawn import LEFT_OUT
from vitpanel.app.report.parts import GROUPS
from vitpanel.app.report.report import write_report
from vitpanel.app.report.state import selection_of
from vitpanel.errors import ChoiceError, InferenceError, VitpanelError
from vitpanel.state.brush import Ids, Matches, OfClass
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study, open_study

ROOT = Path(__file__).parents[3]
N_PARTS = sum(map(len, GROUPS.values()))
HOSTILE = '</script><img src=x onerror="alert(1)">\'&'


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("report") / "a.study"))


def page_of(study: Study, tmp_path: Path, **options) -> str:
    return write_report(study, tmp_path / "r.html", **options).read_text("utf-8")


class Tags(HTMLParser):
    """Tags of a page with their attributes, and its text outside of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += "" if self.tags and self.tags[-1][0] in {"script", "style"} else data


def test_a_report_has_every_figure_and_the_numbers_of_what_is_chosen(study: Study, tmp_path: Path):
    images, heads = OfClass("class 0", "label"), Ids(((0, 1),), "head")
    selection = Selection(study, image=3, layer=1, head=2, images=images, heads=heads)
    page = page_of(study, tmp_path, selection=selection, live=FakeModel(study.spec))
    tags = Tags(page)
    assert sum("data-for" in attrs for _, attrs in tags.tags) == N_PARTS
    for words in (
        "L1 H2",
        f"Brushed: {images.words} (",
        f"Brushed: {heads.words} (1 of 6 heads)",
        "synthetic_vit from tests.synthetic",
        "Hedges' g",
    ):
        assert words in tags.words, words
    p_drawn = vitpanel.elements.prediction_bars(study, selection, table=True, live=FakeModel(study.spec))["probability"]
    assert f"{p_drawn.iloc[0]:.4g}" in tags.words
    assert str(tmp_path) not in page
    assert str(study.path.parent) not in page


def test_a_report_fetches_nothing_and_is_small(study: Study, tmp_path: Path):
    page = page_of(study, tmp_path, live=FakeModel(study.spec))
    assert len(page) < 10e6
    assert not [
        attrs
        for tag, attrs in Tags(page).tags
        if tag in {"link", "script", "img"} and re.match("https?:", attrs.get("src") or attrs.get("href") or "")
    ]
    assert "default-src 'none'" in page


def test_without_the_model_its_figures_are_left_out_with_the_reason(study: Study, tmp_path: Path):
    page = page_of(study, tmp_path, selection=Selection(study, image=3))
    n_asking = sum(part.asks_model for parts in GROUPS.values() for part in parts)
    assert page.count(LEFT_OUT) == n_asking
    assert page.count("data-for=") == N_PARTS - n_asking


def test_without_an_image_there_are_means_and_the_others_say_what_they_need(study: Study, tmp_path: Path):
    page = page_of(study, tmp_path, selection=Selection(study, image=None), live=FakeModel(study.spec))
    assert "all images" in Tags(page).words
    assert "Attention and pruning modes are of one image." in page


@pytest.mark.parametrize(
    "sizes", [{"finished": False}, {"n_classes": 0}, {"prefix": ()}, {"n_classes": 0, "prefix": ("register",)}]
)
def test_every_study_has_a_report(tmp_path: Path, sizes):
    study = open_study(write_synthetic_study(tmp_path / "b.study", **sizes))
    page = page_of(study, tmp_path, live=FakeModel(study.spec))
    assert page.count("<figure") == N_PARTS


def test_names_cannot_be_html(tmp_path: Path):
    path = write_synthetic_study(tmp_path / "<b>a.study", n_images=6)
    images_with(file=[f"{HOSTILE}{i}.png" for i in range(6)], label_name=[HOSTILE] * 6)(path)
    manifest_with("model.name", HOSTILE)(path)
    study = open_study(path)
    selection = Selection(study, image=1, images=Matches(HOSTILE))
    plain = open_study(write_synthetic_study(tmp_path / "plain.study", n_images=6))
    tags = [
        Tags(page_of(each, tmp_path, selection=chosen, live=FakeModel(each.spec)))
        for each, chosen in ((study, selection), (plain, Selection(plain, image=1, images=Matches("x"))))
    ]
    names = [[(tag, sorted(attrs)) for tag, attrs in each.tags if tag in {"script", "img", "b"}] for each in tags]
    assert names[0] == names[1]
    assert HOSTILE in tags[0].words


def test_answers_are_those_of_the_model_and_so_are_its_refusals(study: Study):
    class Broken(FakeModel):
        def modes(self, image, layer, head):
            message = "No modes today."
            raise InferenceError(message)

    selection = Selection(study, image=2, layer=1, head=1)
    model = Broken(study.spec)
    given = GivenAnswers(model, study, selection)
    n_asked = model.n_asked
    assert (given.attention(2, 1)[1] == model.attention(2, 1)[1]).all()
    with pytest.raises(InferenceError, match="No modes today"):
        given.modes(2, 1, 1)
    assert model.n_asked == n_asked + 1, "nobody waits for the model"


def test_what_an_address_says_is_chosen(study: Study):
    for address in (
        "?image=4&layer=1&head=0",
        "http://x:5006/vitpanel?image=4&layer=1&head=0&theme=dark",
        "image=4&layer=1&head=0",
    ):
        selection = selection_of(study, address)
        assert (selection.image, *selection.chosen_head) == (4, 1, 0)
    assert selection_of(study, "").param.values() | {"name": ""} == Selection(study).param.values() | {"name": ""}


@pytest.mark.parametrize(
    ("address", "said"), [("?image=99", "image 99"), ("?colour=4", "says nothing"), ("/x.study", "says nothing")]
)
def test_a_wrong_address_is_refused(study: Study, address: str, said: str):
    with pytest.raises(ChoiceError, match=said) as caught:
        selection_of(study, address)
    assert caught.value.hint


def test_a_file_that_cannot_be_written_is_refused(study: Study, tmp_path: Path):
    with pytest.raises(VitpanelError, match="cannot be written") as caught:
        write_report(study, tmp_path / "r.pdf")
    assert ".html" in caught.value.hint
    with pytest.raises(VitpanelError, match="cannot be written"):
        write_report(study, tmp_path / "nowhere" / "r.html")


@pytest.mark.slow
def test_a_report_needs_no_torch(study: Study, tmp_path: Path):
    script = (
        "import sys; sys.modules['torch'] = sys.modules['timm'] = None;"
        "import vitpanel; study = vitpanel.open_study(sys.argv[1]);"
        "vitpanel.write_report(study, sys.argv[2], live=vitpanel.live_model(study))"
    )
    words, environment = [str(study.path), str(tmp_path / "r.html")], os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "The live model needs torch and timm" in (tmp_path / "r.html").read_text("utf-8")
