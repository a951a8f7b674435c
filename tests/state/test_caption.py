from tests.synthetic import write_synthetic_study
from vitpanel.state.brush import Ids, OfClass
from vitpanel.state.caption import caption_lines, choice_facts
from vitpanel.state.selection import Selection
from vitpanel.study.reader import open_study


def test_a_caption_says_what_is_chosen_and_brushed(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "mine.study"))
    label = study.images["label_name"].iloc[3]
    selection = Selection(study, image=3, layer=1, head=2, metric="jsd")
    assert caption_lines(study, selection) == [f"mine · image 3 ({label}) · L1 H2 · metric: JSD"]
    images, heads = OfClass("class 0", "label"), Ids(((0, 1),), "head")
    selection.param.update(images=images, heads=heads)
    facts = choice_facts(study, selection)
    assert list(facts) == ["study", "image", "head", "metric", "brushed images", "brushed heads"]
    words = f"brushed images: {images.words} · brushed heads: {heads.words}"
    assert caption_lines(study, selection)[1:] == [words]


def test_an_image_without_a_label_is_said_by_its_number_and_none_as_all(tmp_path):
    study = open_study(write_synthetic_study(tmp_path / "mine.study"))
    assert choice_facts(study, Selection(study, image=6))["image"] == "6"
    assert caption_lines(study, Selection(study, image=None))[0].startswith("mine · all images · L")
