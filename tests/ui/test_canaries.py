"""Text of a stranger's study is text on the page, wherever it is shown: no script of it runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.synthetic import (
    finish_synthetic_study,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_block,
)
from vitpanel.app.explorer import create_page
from vitpanel.study.reader import Study, open_study
from vitpanel.study.writer import StudyWriter

pytestmark = [pytest.mark.ui, pytest.mark.slow, pytest.mark.reliability]


def canary(place: str) -> str:
    """Text that leaves its place in ``window.sung`` if any of it is taken for HTML, Markdown or a template."""
    sing = f"(window.sung=window.sung||[]).push('{place}')"
    image, script = f'<img src=x onerror="{sing}">', f"<script>{sing}</script>"
    return f"{place} {image}{script}{{{{7*7}}}} [link](javascript:{sing}) ![x](x)"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Study whose every text is a canary."""
    spec = synthetic_spec()
    plain = synthetic_manifest(spec)
    names = [f"{k} {canary('class')}" for k in range(spec.n_classes)]
    skipped = [{"file": canary("skipped"), "reason": canary("reason")}]
    manifest = replace(
        plain,
        model={**plain.model, "name": canary("model"), "source": canary("source"), "class_names": names},
        images={**plain.images, "root": canary("root"), "skipped": skipped},
        notes=canary("notes"),
    )
    images = synthetic_images(spec, 12)
    images["label_name"] = [names[label] if label >= 0 else canary("label") for label in images["label"]]
    images["file"] = [f"{i} {canary('file')}.png" for i in range(len(images))]
    path: Path = tmp_path_factory.mktemp("hostile") / "x.study"
    with StudyWriter.create_or_resume(path, manifest, images) as writer:
        for block in range(writer.n_blocks):
            write_synthetic_block(writer, block)
        finish_synthetic_study(writer)
    return open_study(path)


def test_nothing_of_a_study_is_run(app_page: Callable[..., Page], page: Page, hostile: Study):
    page.set_default_timeout(120_000)  # of a busy machine
    query = f"?theme={canary('theme')}&image={canary('image')}&view={canary('view')}"
    app_page(lambda: create_page(hostile), width=1600, height=900, query=query)
    asked: list[Any] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    for x in range(40, 1600, 100):
        for y in range(20, 900, 80):
            page.mouse.move(x, y)
    for x, y in [(150, 200), (250, 300), (600, 200), (1200, 300), (150, 700), (600, 700), (1300, 700)]:
        page.mouse.click(x, y)
    # At once, whatever lies over them: a button may open a menu, or make another view fill the page.
    page.get_by_role("button").evaluate_all("buttons => buttons.forEach(button => button.click())")
    page.wait_for_function("() => Bokeh.documents[0].is_idle")
    page.keyboard.press("Escape")
    for field in page.get_by_role("textbox").all():
        if field.is_visible() and field.is_editable():
            field.fill(canary("typed"), force=True)
    page.wait_for_function("() => Bokeh.documents[0].is_idle")
    assert page.evaluate("window.sung || []") == []
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0
    assert asked == []
