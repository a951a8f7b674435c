"""A page of a study that is being computed fills by itself."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.synthetic import (
    finish_synthetic_study,
    synthetic_images,
    synthetic_manifest,
    synthetic_spec,
    write_synthetic_block,
)
from vitpanel.app.explorer import create_page
from vitpanel.app.growing import Growing
from vitpanel.app.inference import ModelService
from vitpanel.study.reader import open_study
from vitpanel.study.run_progress import RunProgress, write_progress
from vitpanel.study.writer import StudyWriter

pytestmark = pytest.mark.ui


def test_views_fill_as_the_study_grows_and_keep_what_was_chosen(app_page, tmp_path: Path):
    spec = synthetic_spec()
    manifest, images = synthetic_manifest(spec), synthetic_images(spec, 12)
    with StudyWriter.create_or_resume(tmp_path / "x.study", manifest, images) as writer:
        growing = Growing(ModelService(open_study(writer.path)))
        page = app_page(lambda: create_page(growing.look(), growing=growing), width=1400, height=900)
        line = page.locator(".notice")
        expect(line).to_contain_text("nothing computes it now: 0 of 12 images")
        expect(page.get_by_text("still lacks the importance and attention of heads").first).to_be_visible()

        write_synthetic_block(writer, 0)
        write_progress(writer.path, RunProgress("importance of <b>heads</b>", 4, 12, "image", 40.0))
        expect(line).to_contain_text("importance of <b>heads</b>, 4 of 12 images, 40 s left")
        expect(page.get_by_text("images so far").or_(page.get_by_text("classes so far")).first).to_be_visible()
        expect(page.get_by_text("still lacks the importance and attention of heads")).to_have_count(0)
        # The page starts where a page of this study would, since nothing was chosen.
        expect(page.get_by_role("combobox", name="Image: id, file or class")).not_to_have_value("")

        search = page.get_by_role("combobox", name="Image: id, file or class")
        search.fill("2")
        search.press("Enter")
        expect(page.locator(".line", has_text="image 2:")).to_be_visible()
        for block in range(1, writer.n_blocks):
            write_synthetic_block(writer, block)
        finish_synthetic_study(writer)
    expect(page.get_by_text("still lacks the maps")).to_have_count(0)
    expect(line).to_be_hidden()
    expect(search).to_have_value("2")
    expect(page.get_by_role("heading", level=1)).to_contain_text("12 images")
    expect(page).to_have_title(re.compile("· 12 images$"))
