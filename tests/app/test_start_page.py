"""The page that lists the studies of a server."""

from pathlib import Path
from typing import cast

import panel as pn
import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.app.start_page import create_start_page, find_studies
from vitpanel.errors import StudyError


def test_studies_are_found_by_name_and_in_folders(tmp_path: Path):
    for name in ("b.study", "a <b>.study", "no study", ".hidden"):
        (tmp_path / name).mkdir()
    one, two = (write_synthetic_study(tmp_path / name) for name in ("b.study", "a <b>.study"))
    third = write_synthetic_study(tmp_path / "no study" / "b.study")
    assert find_studies([tmp_path]) == {"a-b": two, "b": one}
    assert find_studies([one, tmp_path, third]) == {"b": one, "a-b": two, "b-2": third}
    # A study whose manifest is gone is there all the same, and says so on its page.
    assert find_studies([tmp_path / "absent.study"]) == {"absent": tmp_path / "absent.study"}


def test_a_folder_without_a_study_is_refused(tmp_path: Path):
    with pytest.raises(StudyError, match="none in it"):
        find_studies([tmp_path])
    with pytest.raises(StudyError, match="No study is named"):
        find_studies([])


def test_each_study_has_a_card_and_a_damaged_one_says_why(tmp_path: Path):
    write_synthetic_study(tmp_path / "a <b>.study", finished=False)
    broken = write_synthetic_study(tmp_path / "broken.study")
    (broken / "images.parquet").write_bytes(b"no table")
    page = create_start_page(find_studies([tmp_path]))
    html = str(cast("pn.pane.HTML", page.objects[-1]).object)
    assert '<a class="study" href="./a-b"><h2>a &lt;b&gt;</h2>' in html
    assert "12 images, 10 of them done" in html
    assert "not finished" in html
    assert html.count("data:image/webp") == 6
    assert "broken.study/images.parquet is damaged" in html
    assert 'href="./broken"' not in html
    assert str(tmp_path) not in html
