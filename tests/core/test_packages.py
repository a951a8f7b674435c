"""What packages name as entry points."""

import pytest

from tests.entry_points import Point
from vitpanel.core.packages import records_of_packages


def test_what_is_of_the_kind_is_given_and_the_rest_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    points = {"a.group": [Point("good", "text"), Point("absent", ImportError("no such module")), Point("number", 3)]}
    monkeypatch.setattr("vitpanel.core.packages.entry_points", lambda group: points.get(group, []))
    assert list(records_of_packages("a.group", str)) == ["text"]
    assert [record.getMessage() for record in caplog.records] == [
        "The entry point absent of the group a.group is left out: ImportError: no such module.",
        "The entry point number of the group a.group is left out: it is no str, but of type int.",
    ]
    assert list(records_of_packages("another.group", str)) == []
