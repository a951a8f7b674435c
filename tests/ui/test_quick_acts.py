"""Many acts in a short time: in the end the browser shows what the server says, and nothing was chosen by itself."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import panel as pn
import pytest
from bokeh.model import Model
from bokeh.models import ColumnDataSource, Range1d, Span, Title
from playwright.sync_api import Page

from vitpanel.app.explorer import Explorer
from vitpanel.core.metrics import metric_keys
from vitpanel.core.regions import PruningMode

pytestmark = pytest.mark.ui

N_ACTS = 80
_PROPERTIES = {ColumnDataSource: ["data"], Range1d: ["start", "end"], Span: ["location"], Title: ["text"]}
_VALUE = """([id, name]) => {
  const plain = (cell) => cell !== null && typeof cell === "object" ? Array.from(cell, plain) : cell
  const value = Bokeh.documents[0].get_model_by_id(id)[name]
  return name !== "data" ? value
    : Object.fromEntries(Object.entries(value).map(([key, column]) => [key, Array.from(column, plain)]))
}"""
# Tells widgets values as fast as a busy page is told, and counts what they answer.
_ANSWERS = """async ids => {
  let n = 0
  const widgets = ids.map(id => Bokeh.documents[0].get_model_by_id(id)), told = new Map()
  for (const data of widgets) data.properties.value.change.connect(() => { n += data.value !== told.get(data) })
  for (let i = 0; i < 200; i++) {
    for (const data of widgets) {
      told.set(data, typeof data.value === "string" ? String(i % 8) : i % 8)
      data.setv({value: told.get(data)}, {sync: false})
    }
    await new Promise(resolve => setTimeout(resolve, i % 5))
  }
  await new Promise(resolve => setTimeout(resolve, 300))
  return n
}"""

# Builds widgets as a part of a page that is added, tells them what is new before they are drawn, and draws them.
_EARLY = """async () => {
  const {Models} = Bokeh, [root] = Bokeh.index.roots
  const told = {value: "b", options: ["a", "b"], placeholder: "none", labels: ["a", "b"], disabled: true}
  const shown = []
  for (const [name, active] of [["Select"], ["TextInput"], ["Toggle", true], ["RadioButtonGroup", 1]]) {
    const model = new (Models.get(name))(), view = await root.owner.build_view(model, root)
    const box = document.createElement("div"), news = Object.entries({...told, active})
    for (const [key, value] of news) if (key in model.properties) model.setv({[key]: value})
    document.body.append(box)
    view.render_to(box)
    const [el] = [...view.controls()].slice(-1)
    shown.push([name, el.value, el.disabled, el.classList.contains("bk-active")])
    view.remove()
    box.remove()
  }
  return shown
}"""


def scalars(value: Any) -> Iterator[Any]:
    """All that is in nested columns, NaN as None."""
    if isinstance(value, dict):
        value = [value[name] for name in sorted(value)]
    if isinstance(value, list | tuple | np.ndarray):
        for part in value:
            yield from scalars(part)
    else:
        plain = value.item() if isinstance(value, np.generic) else value
        yield None if isinstance(plain, float) and np.isnan(plain) else plain


def is_same(one: Any, other: Any) -> bool:
    """Whether the browser has what the server has."""
    pairs = list(scalars(one)), list(scalars(other))
    return len(pairs[0]) == len(pairs[1]) and all(
        a == b or (isinstance(a, int | float) and isinstance(b, int | float) and a == pytest.approx(b))
        for a, b in zip(*pairs, strict=True)
    )


def differences(models: list[Model], page: Page) -> list[tuple[Model, str]]:
    """Properties of which the browser has another value than the server."""
    properties = [
        (model, name)
        for model in models
        for kind, names in _PROPERTIES.items()
        if isinstance(model, kind) and model.syncable
        for name in names
    ]
    return [
        (model, name)
        for model, name in properties
        if not is_same(getattr(model, name), page.evaluate(_VALUE, [model.id, name]))
    ]


def acts(explorer: Explorer, chance: random.Random) -> list[Callable[[], object]]:
    """What a person may do, each time something else."""
    session, pick = explorer.session, chance.choice
    selection, spec = session.selection, session.study.spec

    def head() -> tuple[int, int]:
        return chance.randrange(spec.n_layers), chance.randrange(spec.n_heads)

    return [
        lambda: selection.param.update(image=chance.randrange(session.study.n_images)),
        lambda: selection.choose_head(*head()),
        lambda: selection.param.update(mode=pick(list(PruningMode)).value, metric=pick(metric_keys())),
        lambda: selection.param.update(token=chance.randrange(5), threshold=chance.uniform(0.01, 0.5)),
        lambda: selection.param.update(measure=pick(["entropy", "distance"]), scale=pick(["linear", "log"])),
        lambda: selection.param.update(map_colour=pick(["layer", "class", "density"]), density=pick([True, False])),
        lambda: selection.param.update(pattern=pick(["patch", "cls", "offset"])),
        lambda: selection.param.update(image_layout=pick(["probability", "jsd"]), colouring=pick(["label", "p_true"])),
        lambda: selection.param.update(pinned=[head()]),
    ]


def test_the_browser_shows_what_is_chosen_after_many_quick_acts(
    shown: Callable[..., tuple[Explorer, Page]],
    act: Callable[[Callable[[], object]], None],
    wait_until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
):
    explorer, page = shown()
    answers: list[dict[str, Any]] = []
    monkeypatch.setattr(pn.reactive.Syncable, "_process_events", lambda _, events: answers.append(events))
    chance = random.Random(0)  # noqa: S311 - no secret
    choices = acts(explorer, chance)
    for number in range(N_ACTS):
        act(choices[number % 2] if number % 3 else chance.choice(choices))
        page.wait_for_timeout(chance.choice([1, 20, 100]))
    session = explorer.session
    wait_until(lambda: session.modes.status == session.attention.status == "done", seconds=60)
    document = explorer.bridge._loop.document
    assert document is not None
    wait_until(lambda: not differences(list(document.models), page), seconds=60)
    assert not answers


def test_widgets_answer_nothing_to_what_they_are_told(shown: Callable[..., tuple[Explorer, Page]]):
    explorer, page = shown()
    views: dict[str, Any] = dict(explorer.views)
    overview = views["image-overview"]
    widgets = [overview.layout, overview.colouring, views["attention-detail"]._token]
    assert page.evaluate(_ANSWERS, [next(iter(widget._models.values()))[0].id for widget in widgets]) == 0


def test_widgets_bear_news_before_they_are_drawn(shown: Callable[..., tuple[Explorer, Page]]):
    _, page = shown()
    assert page.evaluate(_EARLY) == [
        ["Select", "b", True, False],
        ["TextInput", "b", True, False],
        ["Toggle", "", True, True],
        ["RadioButtonGroup", "", True, True],
    ]
