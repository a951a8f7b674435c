"""What axe finds on the whole page: names and roles of controls, contrast, what lies inside what."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.tiny_vit import CLASSES
from vitpanel.app.explorer import Explorer
from vitpanel.state.brush import HEAD, TOKEN, Ids, OfClass
from vitpanel.views.registry import on_demand
from vitpanel.views.registry import views as known_views

pytestmark = [pytest.mark.ui, pytest.mark.slow]

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Of all rules: each says where it fails and why. Shadow roots are gone through as well.
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter(({impact}) => ["serious", "critical"].includes(impact))
  .flatMap(({id, nodes}) => nodes.map(({target, html, failureSummary}) =>
    [id, target.flat().at(-1), html.slice(0, 200), failureSummary]))"""
Opened = tuple[Explorer, Page]


def brushed() -> str:
    """Query of an address by which images, heads and tokens are brushed."""
    brushes = {
        "images": OfClass(CLASSES[0], "label"),
        "heads": Ids(((0, 1), (1, 2)), HEAD),
        "tokens": Ids((2, 3), TOKEN),
    }
    return "".join(f"&{name}={quote(json.dumps(brush.to_dict()))}" for name, brush in brushes.items())


def violations(page: Page) -> list[Any]:
    """What axe finds serious or critical on the page as it is now."""
    page.wait_for_function("() => Bokeh.documents[0].is_idle")
    page.mouse.move(0, 0)
    page.evaluate("() => Promise.all(document.getAnimations().map(animation => animation.finished))")
    return page.evaluate(_RUN)


@pytest.fixture(params=["light", "dark"])
def opened(request: pytest.FixtureRequest, shown: Callable[..., Opened], wait_until: Callable[..., None]) -> Opened:
    """Open the page with all three brushes, with axe in it."""
    assert AXE.is_file(), "axe-core is missing: run `make test`, which installs it, or `npm ci --ignore-scripts`."
    explorer, page = shown(query=f"?theme={request.param}{brushed()}&image=3")
    selection = explorer.selection
    assert None not in (selection.images, selection.heads, selection.tokens)
    overview: Any = explorer.views["pattern-overview"]
    wait_until(lambda: overview.card.summary is not None)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return explorer, page


def test_the_page_has_no_barrier_whatever_is_open(opened: Opened, wait_until: Callable[..., None]):
    explorer, page = opened
    assert violations(page) == []
    for kind in on_demand().values():
        page.get_by_role("button", name=kind.title, exact=True).click()
        view = page.get_by_role("dialog", name=kind.title)
        expect(view.get_by_role("button", name="Export")).to_be_visible()
        assert violations(page) == [], kind.title
        view.get_by_role("button", name=f"Close {kind.title}").click()
        expect(view).to_be_hidden()
    page.get_by_role("button", name="Export").first.click()
    expect(page.locator(".menu:popover-open")).to_be_visible()
    assert violations(page) == [], "menu of files"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Brushes: invert, keep, compare").click()
    expect(page.get_by_role("dialog", name="Brushes")).to_be_visible()
    assert violations(page) == [], "panel of brushes"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Tasks", exact=True).click()
    expect(page.get_by_role("dialog", name="Tasks").get_by_role("checkbox").first).to_be_visible()
    assert violations(page) == [], "sheet of tasks"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("dialog", name="Menu")).to_be_visible()
    assert violations(page) == [], "menu"
    page.get_by_role("button", name="Take the tour").click()
    expect(page.get_by_role("dialog", name="A: Image Overview")).to_be_focused()
    assert violations(page) == [], "tour"
    page.keyboard.press("Escape")
    slug = "head-importance"
    page.get_by_role("button", name="Maximise").nth(list(known_views()).index(slug)).click()
    wait_until(lambda: explorer.views[slug].maximised)
    assert violations(page) == [], "maximised"
    page.evaluate("() => document.body.append(document.createElement('button'))")
    assert [found[0] for found in violations(page)] == ["button-name"]
