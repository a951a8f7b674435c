"""The picture in the browser's tab."""

import re
from importlib.resources import files
from urllib.parse import unquote


def test_the_tab_has_the_picture_that_the_launcher_of_jupyter_has():
    app = files("vitpanel.app")
    page = app.joinpath("page.html").read_text("utf-8")
    found = re.search(r'<link rel="icon" type="image/svg\+xml" href="data:image/svg\+xml,([^"]+)">', page)
    assert found
    assert unquote(found[1]) == app.joinpath("icon.svg").read_text("utf-8").strip()
