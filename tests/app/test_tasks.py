"""Sheets of tasks: the one that comes with vitpanel, and a teacher's."""

from pathlib import Path
from typing import Any

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.app.access import Access
from vitpanel.app.explorer import all_kinds
from vitpanel.app.server import serve_studies
from vitpanel.app.task_panel import TaskPanel
from vitpanel.app.tasks import MOST_BYTES, TaskSheet, read_tasks
from vitpanel.errors import VitpanelError
from vitpanel.study.reader import open_study


def test_the_own_sheet_names_the_views_as_the_page_does():
    sheet = read_tasks()
    titles = [kind.title for kind in all_kinds().values()]
    assert sheet.title == "Experiments to try"
    assert 5 <= sheet.html.count("<h2>") <= 8
    named = {title for title in titles if f"<strong>{title}</strong>" in sheet.html}
    assert named == {
        "Image Overview",
        "Head Importance",
        "Attention Strength",
        "Pattern Overview",
        "Attention Detail",
    }
    assert sheet.html.count("<strong>") == sum(sheet.html.count(f"<strong>{title}</strong>") for title in titles)


def test_a_file_takes_its_place(tmp_path: Path):
    path = tmp_path / "week-3.md"
    path.write_bytes("\N{ZERO WIDTH NO-BREAK SPACE}# Week 3: Köpfe\n\n## First\n\n- a\n".encode())
    sheet = read_tasks(path)
    assert sheet.title == "Week 3: Köpfe"
    assert "<h2>First</h2>" in sheet.html


def test_a_sheet_without_a_heading_has_a_title_all_the_same():
    assert TaskSheet.from_markdown("Just look.").title == "Tasks"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<b>)",
        "[x](file:///etc/passwd)",
        "[x](//elsewhere.example)",
        "<javascript:alert(1)>",
        "[x]: vbscript:a\n\n[x]",
    ],
)
def test_html_is_shown_as_it_is_written_and_unsafe_links_are_none(text: str):
    html = TaskSheet.from_markdown(text).html
    for tag in ("<script", "<img", "<a "):
        assert tag not in html


def test_links_open_tabs_of_their_own_and_lead_to_sites_or_to_what_is_chosen():
    html = TaskSheet.from_markdown("[a](https://a.example) [b](?image=12&head=1) ![c](https://c.example/c.png)").html
    assert '<a href="https://a.example" target="_blank" rel="noopener noreferrer">a</a>' in html
    assert 'href="?image=12&amp;head=1"' in html
    assert "<img" not in html


@pytest.mark.parametrize(
    ("data", "said", "hint"),
    [
        (b"\xff\xfeabc", "is no UTF-8 text: byte 0 is 0xff", "Save it as UTF-8"),
        (b"a\0b", "is no text", "--tasks FILE.md"),
        (b" \n", "is empty", "--tasks FILE.md"),
        (b"# Week 3\n\nJust look.\n\n### Closer\n", "has no task", "a heading of the second level"),
        (b"<h2>Look</h2>", "has no task", "a heading of the second level"),
        (b"a" * (MOST_BYTES + 1), "has more than 1 MB", "--tasks FILE.md"),
    ],
)
def test_what_is_no_sheet_is_refused_by_its_name(tmp_path: Path, data: bytes, said: str, hint: str):
    path = tmp_path / "tasks.md"
    path.write_bytes(data)
    with pytest.raises(VitpanelError, match=said) as caught:
        read_tasks(path)
    assert str(path) in caught.value.message
    assert hint in caught.value.hint


def test_a_file_of_just_1_mb_is_taken(tmp_path: Path):
    path = tmp_path / "tasks.md"
    path.write_bytes(b"## Look\n".ljust(MOST_BYTES, b"a"))
    assert read_tasks(path).title == "Tasks"


def test_a_heading_with_a_line_below_it_is_a_task_too(tmp_path: Path):
    path = tmp_path / "tasks.md"
    path.write_text("Look\n----\n", "utf-8")
    assert "<h2>Look</h2>" in read_tasks(path).html


@pytest.mark.parametrize("name", ["absent.md", "."])
def test_what_cannot_be_read_is_said_before_anything_is_served(tmp_path: Path, name: str):
    study = write_synthetic_study(tmp_path / "x.study")
    with pytest.raises(VitpanelError, match="cannot be read"):
        serve_studies([study], access=Access(), tasks=tmp_path / name)


def test_the_text_is_sent_when_the_sheet_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study, sent = open_study(write_synthetic_study(tmp_path / "x.study")), list[Any]()
    panel = TaskPanel(TaskSheet("Week 3", "<p>Look.</p>"), study)
    monkeypatch.setattr(panel, "_send_msg", sent.append)
    panel._handle_msg({"something": "else"})
    assert sent == []
    panel._handle_msg({"opened": True})
    assert sent == [{"html": "<p>Look.</p>"}]
    assert panel.name_of_ticks == "ticks.x.Week 3"
