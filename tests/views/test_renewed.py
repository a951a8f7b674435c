"""A view that was opened while its study was being written shows in the end what one of the finished study shows."""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bokeh.core.property.vectorization import Field
from bokeh.model import Model

from tests.fakes import FakeInference
from tests.stored_modes import write_modes
from tests.synthetic import (
    finish_synthetic_study,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_block,
)
from vitpanel.state.brush import Ids
from vitpanel.state.selection import Selection
from vitpanel.state.session import Session
from vitpanel.study.reader import Study, open_study
from vitpanel.study.writer import StudyWriter
from vitpanel.views.bridge import Bridge
from vitpanel.views.registry import on_demand, views
from vitpanel.views.view import View

N_IMAGES = 17
# Properties that say nothing of a study: Panel lets style sheets share one model that are made after one another.
NOT_TOLD = {"stylesheets"}
# Ends of ways to what may differ: how often the list of heads was told which one is chosen.
MAY_DIFFER = (".data.choice[1]",)
# Of each kind of labels what is chosen, the same before and after.
CHOICES: dict[str, dict[str, Any]] = {
    "labels of all classes": {"image": 3, "layer": 1, "head": 2, "pinned": [(0, 1), (1, 0)], "images": Ids((1, 4, 16))},
    "no labels": {"image": None, "layer": 0, "head": 1},
    "labels of few classes": {"image": 2, "layer": 1, "head": 0, "colouring": "predicted"},
}
# Blocks that there are when the view is opened, from the end if below 0.
BLOCKS = (0, 1, -1)


def labelled(kind: str) -> pd.DataFrame:
    """Table of images of some kind of labels."""
    spec = synthetic_spec(n_classes=6)
    images, names = synthetic_images(spec, N_IMAGES), synthetic_manifest(spec).class_names
    if kind == "no labels":
        images["label"], images["label_name"] = -1, ""
    if kind == "labels of few classes":
        images["label"] %= 2
        images["label_name"] = [names[label] for label in images["label"]]
    return images


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int | None], Study]:
    """Open a study of some kind of labels as it was with so many blocks, or finished."""

    @cache
    def written(kind: str) -> dict[int | None, Path]:
        folder, spec = tmp_path_factory.mktemp("studies"), synthetic_spec(n_classes=6)
        with StudyWriter.create_or_resume(folder / "a.study", synthetic_manifest(spec), labelled(kind)) as writer:
            copies: dict[int | None, Path] = {None: writer.path}
            for block in range(writer.n_blocks):
                copies[block] = copies[block - writer.n_blocks] = folder / str(block) / "a.study"
                shutil.copytree(writer.path, copies[block])
                write_synthetic_block(writer, block)
            finish_synthetic_study(writer)
            write_modes(writer)
        return copies

    return lambda kind, blocks: open_study(written(kind)[blocks])


def shown(root: Model) -> dict[str, Any]:
    """All that the browser is told of models, by the way to it; each model is told of where it is met first.

    Ids and the names that Panel gives to its components, which are counted over a process, become the same for equal
    models.
    """
    met: dict[str, str] = {}
    told = list(_parts(root, "", met))
    return {way: _without_counts(value, met) for way, value in told}


def _parts(value: Any, way: str, met: dict[str, str]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Model):
        yield way, value.id
        if value.id not in met:
            met[value.id] = f"{type(value).__name__} {len(met)}"
            told = value.properties_with_values()
            for name in sorted(set(told) - NOT_TOLD):
                yield from _parts(told[name], f"{way}.{name}", met)
    elif isinstance(value, Mapping):
        yield way, sorted(map(str, value))
        for name, part in value.items():
            yield from _parts(part, f"{way}[{name}]", met)
    elif isinstance(value, Field):
        yield from _parts({"field": value.field, "transform": value.transform}, way, met)
    elif isinstance(value, list | tuple):
        yield way, len(value)
        for place, part in enumerate(value):
            yield from _parts(part, f"{way}[{place}]", met)
    else:
        yield way, value


def _without_counts(value: Any, met: Mapping[str, str]) -> Any:
    if not isinstance(value, str):
        return value
    value = value.removeprefix("__ref:")
    return met.get(value) or re.sub(r"^([A-Z]\w+?)\d{5,}$", r"\1", value)


def are_equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        one, other = np.asarray(one), np.asarray(other)
        return np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f")
    are_nan = all(isinstance(value, float) and np.isnan(value) for value in (one, other))
    return are_nan or one == other


def session_of(study: Study, kind: str) -> Session:
    """Start a session in which always the same is chosen."""
    selection = Selection(pattern="patch", metric="probability", **CHOICES[kind])
    return Session(study, selection=selection, inference=FakeInference(study.spec))


@pytest.fixture(scope="module")
def whole(opened) -> Callable[[str, str], dict[str, Any]]:
    """What a view shows that is opened when the study is finished."""

    @cache
    def whole(slug: str, kind: str) -> dict[str, Any]:
        view = all_views()[slug](session_of(opened(kind, None), kind), Bridge())
        return shown(view.__panel__().get_root())

    return whole


def all_views() -> dict[str, type[View]]:
    return views() | on_demand()


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("kind", CHOICES)
@pytest.mark.parametrize("slug", all_views())
def test_a_view_that_is_renewed_shows_what_one_of_the_finished_study_shows(
    opened, whole, slug: str, kind: str, blocks: int
):
    session = session_of(opened(kind, blocks), kind)
    root = all_views()[slug](session, Bridge()).__panel__().get_root()
    session.renew(opened(kind, None))
    told = shown(root), whole(slug, kind)
    different = {
        way: [of_one.get(way) for of_one in told]
        for way in sorted(set().union(*told))
        if not way.endswith(MAY_DIFFER) and not are_equal(*(of_one.get(way) for of_one in told))
    }
    assert different == {}
