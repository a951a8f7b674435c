"""What the header and the card say of a study."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.document import Document
from panel.io.state import set_curdoc

from tests.synthetic import write_synthetic_study
from vitpanel.app.explorer import create_app
from vitpanel.app.study_card import facts_html, study_facts, study_title
from vitpanel.state.session import Session
from vitpanel.study.manifest import Manifest
from vitpanel.study.metric_arrays import layout_label
from vitpanel.study.reader import Study, open_study


def changed_study(path: Path, **model: Any) -> Study:
    """Write a study whose manifest says these things of its model."""
    write_synthetic_study(path, n_images=21)
    manifest = Manifest.read(path)
    replace(manifest, model=manifest.model | model).write(path)
    return open_study(path)


def test_the_title_begins_with_the_study_and_says_what_is_not_as_the_models_name_says(tmp_path: Path):
    study = changed_study(tmp_path / "shoes.study", name="vit_tiny_patch16_224", args={"depth": 2, "img_size": 32})
    assert study_title(study) == (
        "shoes · vit_tiny_patch16_224, changed: 32 px, patch 8 · 2 layers × 3 heads · 21 images"
    )
    assert "changed: depth 2, img_size 32" in study_facts(study)["Model"]


def test_where_the_checkpoint_lay_is_not_told(tmp_path: Path):
    study = changed_study(tmp_path / "a.study", checkpoint="/home/somebody/secret/model.safetensors")
    assert "checkpoint model.safetensors" in study_facts(study)["Model"]
    assert "somebody" not in facts_html(study_facts(study))


def test_a_model_that_is_as_its_name_says_is_only_named(tmp_path: Path):
    study = changed_study(tmp_path / "a.study")
    assert study_title(study) == "a · synthetic_vit · 2 layers × 3 heads · 21 images"
    assert not any("changed" in line for line in study_facts(study)["Model"])


def test_the_tab_of_the_browser_has_the_name_of_the_study(tmp_path: Path):
    study = changed_study(tmp_path / "shoes.study")
    document = Document()
    with set_curdoc(document):
        create_app(study.path).server_doc(document)
    assert document.title.startswith("shoes · ")


def test_accuracy_and_errors_are_those_of_the_images_with_a_label(tmp_path: Path):
    study = changed_study(tmp_path / "a.study")
    known = study.images[study.images["label"] >= 0]
    n_right = np.sum(np.asarray(known["label"]) == np.asarray(known["predicted"]))
    lines = study_facts(study)["Images"]
    assert f"accuracy {n_right / len(known):.1%}: {n_right} right, {len(known) - n_right} wrong" in lines
    assert f"{21 - len(known)} without a label among the model's classes, not counted" in lines


def test_a_study_without_labels_says_so(tmp_path: Path):
    study = open_study(write_synthetic_study(tmp_path / "a.study", n_classes=0))
    assert any("no labels" in line for line in study_facts(study)["Images"])


def test_the_maps_say_how_many_neighbours_they_keep_where_it_was_measured(tmp_path: Path):
    study = changed_study(tmp_path / "a.study")
    stages = study.manifest.stages
    neighbours = {"layout/images_jsd": {"kept": 0.568, "by_chance": 0.141}, "layout/cls": {"kept": None}}
    stages["layout"]["detail"] = {"neighbours": neighbours}
    assert "images by JSD: keeps 56.8% of the 10 nearest neighbours (14.1% by chance)" in study_facts(study)["Maps"]
    assert not any(line.startswith("cls:") for line in study_facts(study)["Maps"])


def test_maps_are_called_as_in_the_menus(tmp_path: Path):
    study = changed_study(tmp_path / "a.study")
    session = Session(study)
    arrays = {array: layout_label(name) for name, array in session.image_layouts().items()}
    titles = {f"images by {label}": array for array, label in arrays.items()}
    titles |= {f"heads by {label}": f"layout/{name}" for name, label in session.patterns.layouts().items()}
    neighbours = {array: {"kept": 0.5, "by_chance": 0.1} for array in titles.values()}
    study.manifest.stages["layout"]["detail"] = {"neighbours": neighbours}
    said = [line.partition(": keeps")[0] for line in study_facts(study)["Maps"] if ": keeps" in line]
    assert said == list(titles)
    assert {"images by Probability", "images by p(label), pruned", "heads by CLS", "heads by Offset"} <= set(said)


def test_what_comes_from_files_is_escaped():
    assert facts_html({"Model": ["<b>x</b>"]}) == "<table><tr><td>Model</td><td>&lt;b&gt;x&lt;/b&gt;</td></tr></table>"
