"""A set of heads pruned together in a browser, with the tiny model: numbers, progress, thumbnails and the curve."""

import re
from threading import Event

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.pruned_families import Pruned
from vitpanel.app.explorer import Explorer
from vitpanel.app.inference import ModelService
from vitpanel.core.regions import PruningMode, pruning_mask
from vitpanel.state.brush import Ids

pytestmark = pytest.mark.ui
HEADS = ((0, 1), (1, 2))


def slow(service: ModelService, mode: int, images: list[int]) -> np.ndarray:
    """Probabilities by hooks, from the pictures in the study."""
    model, _ = service.answers.model()
    mask = pruning_mask(model.spec.grid, PruningMode(mode).regions)
    return Pruned(model, service.answers.pixels(images), [(*head, mask) for head in HEADS]).probabilities


def service_of(explorer: Explorer) -> ModelService:
    assert explorer._inference is not None
    return explorer._inference._service


def opened(page: Page) -> None:
    page.get_by_role("button", name="Prune set", exact=True).click()
    expect(page.get_by_role("button", name="Run: On many images")).to_be_visible()


def cells(page: Page, table: str, row: str) -> list[str]:
    line = page.get_by_role("table", name=table).get_by_role("row").filter(has_text=row)
    return line.get_by_role("cell").all_inner_texts()


def test_the_chosen_image_and_many_have_the_numbers_of_slow_hooks(shown, act, wait_until):
    explorer, page = shown(width=1600, height=900)
    study, selection = explorer.session.study, explorer.selection
    act(lambda: selection.param.update(heads=Ids(HEADS, item="head"), image=5))
    opened(page)
    expect(page.get_by_text("Pruned together: 2 brushed heads (L0 H1, L1 H2)")).to_be_visible()
    for mode in (1, 5):
        page.get_by_role("combobox", name="What is pruned of each head").select_option(
            f"{mode}: {PruningMode(mode).label}"
        )
        after = slow(service_of(explorer), mode, [5])[0]
        label = study.class_names[int(study.images["label"].iloc[5])]
        wanted = f"{after[study.class_names.index(label)]:.3f}"
        expect(page.get_by_role("row").filter(has_text=f"p({label})")).to_contain_text(f"→ {wanted}")
        assert cells(page, "Classes before and after", f"✓ {label}")[-1] == wanted
    act(lambda: selection.param.update(images=Ids((1, 5, 6, 9, 12, 14, 15))))
    images = page.get_by_role("combobox", name="On which images")
    expect(images.locator("option:checked")).to_have_text("7 brushed images")
    page.get_by_role("button", name="Run: On many images").click()
    expect(page.get_by_role("status").filter(has_text=re.compile(r"^7 images$"))).to_be_visible()
    numbers = [1, 5, 6, 9, 12, 14, 15]
    after, labels = slow(service_of(explorer), 5, numbers), study.images["label"].to_numpy()[numbers]
    assert cells(page, "Images before and after", "accuracy")[2] == f"{100 * (after.argmax(-1) == labels).mean():.1f} %"
    mean = after[np.arange(7), labels].mean()
    assert cells(page, "Images before and after", "mean p(label)")[2] == f"{mean:.3f}"
    pictures = page.get_by_role("group", name="Images that change most").get_by_role("button")
    expect(pictures).to_have_count(7)
    label = pictures.nth(2).get_attribute("aria-label")
    assert label is not None
    chosen = int(label.split(":")[0].removeprefix("Image "))
    pictures.nth(2).click()
    wait_until(lambda: selection.image == chosen)
    expect(pictures.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("heading", name=f"Image {chosen}")).to_be_visible()


def test_a_run_is_cancelled_on_its_way_and_what_is_there_stays(shown, wait_until, monkeypatch):
    explorer, page = shown()
    service = service_of(explorer)
    compute, seen = service.answers.pruned, list[int]()

    def until_cancelled(job, images):
        if len(job.images) == 1:
            return compute(job, images)
        # The third batch is there only when somebody has pressed Cancel.
        if len(seen) >= 2:
            wait_until_unwanted(service, job)
        seen.extend(images)
        return compute(job, images)

    monkeypatch.setattr(service.answers, "pruned", until_cancelled)
    monkeypatch.setattr("vitpanel.app.image_runs.LARGEST_BATCH", 1)
    monkeypatch.setattr("vitpanel.app.image_runs.TELL_SECONDS", -1)
    opened(page)
    page.get_by_role("button", name="Run: On many images").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 16 images")).to_be_visible()
    cancel = page.get_by_role("button", name="Cancel: On many images")
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 16 images; cancelled")).to_be_visible()
    expect(page.get_by_role("group", name="Images that change most").get_by_role("button")).to_have_count(2)
    wait_until(lambda: not service.runs._runs)
    monkeypatch.setattr(service.answers, "pruned", compute)
    page.get_by_role("button", name="Run: On many images").click()
    expect(page.get_by_role("status").filter(has_text=re.compile(r"^16 images$"))).to_be_visible()


def wait_until_unwanted(service: ModelService, job) -> None:
    """Wait in the worker's thread until nobody wants a job."""
    pause = Event()
    while job in service.runs._runs:
        pause.wait(0.01)


def test_a_curve_ends_with_all_heads_pruned(shown):
    explorer, page = shown(width=1600, height=900)
    opened(page)
    page.get_by_role("combobox", name="Which heads go first").select_option("most important first")
    page.get_by_role("button", name="Run: Necessity curve").click()
    expect(page.get_by_text("╌╌ most important first, 16 images")).to_be_visible()
    _, ablation = service_of(explorer).answers.model()
    pixels = service_of(explorer).answers.pixels(list(range(16)))
    after = ablation.prune_set(pixels, np.ones((2, 3), bool)).argmax(-1)
    accuracy = (after == explorer.session.study.images["label"]).mean()
    curve = page.get_by_role("img", name="accuracy by the number of heads")
    expect(curve.locator("circle")).to_have_count(7)
    expect(curve.locator("circle").last.locator("title")).to_contain_text(f"6 heads pruned: {100 * accuracy:.1f} %")
    expect(curve.locator("circle").first.locator("title")).to_contain_text("0 heads pruned")
