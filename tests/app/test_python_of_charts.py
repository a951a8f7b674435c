"""The lines of Python that the menus give, for every chart of every view: executed as they are."""

from typing import Any

import holoviews as hv
import pytest

from tests.tiny_vit import CLASSES, write_checkpoint, write_images
from vitpanel.app.explorer import Explorer, all_kinds
from vitpanel.pipeline.precompute import Recipe, precompute
from vitpanel.pipeline.progress import Progress
from vitpanel.state.brush import Ids, InPolygon, OfClass
from vitpanel.state.saved_state import FIELDS
from vitpanel.state.selection import Selection
from vitpanel.study.reader import Study

# What no element draws: the menu says so.
WITHOUT = {
    "attention-image", "cluster", "attention-atlas", "diagnosis", "class-statistics", "necessity-curve",
    "pruned-set_heads", "pruned-set_image", "pruned-set_images",
}  # fmt: skip
CHOICES: dict[str, dict[str, Any]] = {
    "the start": {"pinned": [(0, 0)]},
    "much": {
        "image": 5, "layer": 1, "head": 2, "metric": "jsd", "mode": 3, "token": 3, "threshold": 0.2, "scale": "log",
        "pattern": "cls", "pinned": [(0, 1), (1, 1)], "density": False, "image_layout": "jsd", "colouring": "entropy",
        "measure": "distance", "map_colour": "importance", "cloud": True, "images": OfClass(CLASSES[1], "label"),
        "heads": InPolygon("layout/cls", (-9.0, 9.0, 0.0), (-9.0, -9.0, 9.0)), "tokens": Ids((1, 2), "token"),
    },
    "no image": {"image": None, "images": ~Ids((0, 1)), "heads": Ids(((1, 2),), "head"), "pinned": [(0, 0)]},
}  # fmt: skip

# Without an image they are means, which no element draws.
MEANS = {
    "attention-source", "attention-target", "attention-links", "attention-histogram", "attention-matrix",
    "pruning-modes",
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("python")
    recipe = Recipe(
        images=write_images(root / "images", n_per_class=3), out=root / "tiny.study",
        checkpoint=write_checkpoint(root / "tiny.safetensors"), class_names=CLASSES, latent_dim=4,
    )  # fmt: skip
    return precompute(recipe, progress=Progress(is_shown=False))


def scripts(explorer: Explorer) -> dict[str, str]:
    """Lines for each thing that the menus offer, with none where no element draws it."""
    records = [record for view in explorer.views.values() for record in view.records()]
    return {record["stem"]: record.get("python", "") for record in records}


@pytest.mark.slow
@pytest.mark.parametrize("chosen", CHOICES)
def test_lines_draw_every_chart_from_the_study_alone(study: Study, monkeypatch: pytest.MonkeyPatch, chosen: str):
    monkeypatch.chdir(study.path.parent)
    selection = Selection(study, **CHOICES[chosen])
    explorer = Explorer(study, views=list(all_kinds()), selection=selection)
    lines = scripts(explorer)
    without = WITHOUT if selection.image is not None else WITHOUT | MEANS
    assert {stem for stem, text in lines.items() if not text} == without
    for stem, text in lines.items():
        if text:
            drawn, names = executed(text)
            assert hv.renderer("bokeh").get_plot(drawn).state is not None, stem
            again = names["selection"]
            assert all(getattr(again, name) == getattr(selection, name) for name in FIELDS), stem
            assert str(study.path.parent) not in text


def executed(text: str) -> tuple[Any, dict[str, Any]]:
    """What the last line gives, as in a cell of a notebook, and the names after it."""
    *lines, last = text.rstrip("\n").split("\n")
    names: dict[str, Any] = {}
    exec(compile("\n".join(lines), "lines", "exec"), names)  # noqa: S102 - these lines are what is tested
    return eval(last, names), names  # noqa: S307


def test_every_element_draws_a_chart_of_the_page(study: Study):
    from vitpanel import elements

    text = "".join(scripts(Explorer(study, selection=Selection(study, pinned=[(0, 0)]))).values())
    unused = {name for name in elements.__all__ if f"elements.{name}(" not in text}
    assert unused == {"save", "head_ranking", "token_shares"}
