"""PNG as a browser paints it."""

from pathlib import Path
from typing import Any

import holoviews as hv
import numpy as np
import pytest
from PIL import Image

from tests.ensure_browser import find_chromium
from vitpanel import elements
from vitpanel.elements import saving
from vitpanel.errors import VitpanelError
from vitpanel.study.reader import Study


@pytest.mark.ui
def test_a_picture_has_what_the_element_has(study: Study, tmp_path: Path):
    if find_chromium() is None:
        pytest.skip("needs a Chromium on the PATH")
    elements.save(elements.importance_curve(study) + elements.head_scatter(study), tmp_path / "both.png")
    with Image.open(tmp_path / "both.png", formats=["PNG"]) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert 600 < pixels.shape[1] < saving.WINDOW[0]
    # The line at the chosen head.
    assert (np.abs(pixels - [0xD6, 0x00, 0x6C]).sum(-1) < 30).any()


def test_without_a_browser_a_picture_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def nowhere(_: str) -> Any:
        return None

    monkeypatch.setattr(saving.shutil, "which", nowhere)
    with pytest.raises(VitpanelError, match="no Chromium") as caught:
        elements.save(hv.Curve([1, 2]), tmp_path / "a.png")
    assert ".html" in caught.value.hint
