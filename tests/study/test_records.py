"""JSON records that notice damage."""

import json
from pathlib import Path

import pytest

from vitpanel.errors import StudyFormatError
from vitpanel.study.records import read_record, record_bytes
from vitpanel.study.rules import pairs, plain


def test_round_trip(tmp_path: Path):
    path = tmp_path / "record.json"
    path.write_bytes(record_bytes({"name": "Zoë", "sizes": (1, 2.5), "none": None}))
    assert read_record(tmp_path, path, pairs(plain(depth=1, most=9), most=9)) == {
        "name": "Zoë",
        "sizes": [1, 2.5],
        "none": None,
    }


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": 1}', b"\xff"])
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(StudyFormatError, match=r"record\.json is damaged"):
        read_record(tmp_path, path, pairs(plain(depth=1, most=9), most=9))


def test_a_changed_value_is_noticed(tmp_path: Path):
    path = tmp_path / "record.json"
    record = json.loads(record_bytes({"mean": [0.5, 0.25]}))
    record["mean"][0] = 0.75
    path.write_text(json.dumps(record))
    with pytest.raises(StudyFormatError, match="checksum"):
        read_record(tmp_path, path, pairs(plain(depth=1, most=9), most=9))
