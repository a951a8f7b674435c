"""Where weights lie is known to the person who computed with them alone."""

from pathlib import Path

import pytest

from vitpanel.pipeline.known_weights import known_weights, remember_weights

HASH = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def user_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    return tmp_path / "user"


def test_what_was_computed_with_is_known_and_the_latest_place_counts(tmp_path: Path):
    assert known_weights(HASH) is None
    for name in ("a.safetensors", "ä b.safetensors"):
        assert remember_weights(HASH, tmp_path / name)
        assert known_weights(HASH) == tmp_path / name
    assert known_weights("f" * 32) is None


@pytest.mark.parametrize("weight_hash", ["../../etc/passwd", "", "0" * 31, None, 7, "G" * 32, f"{HASH}/x"])
def test_what_is_no_hash_leads_nowhere(weight_hash: object):
    assert known_weights(weight_hash) is None


def test_a_damaged_note_is_no_note(user_data: Path, tmp_path: Path):
    remember_weights(HASH, tmp_path / "a.safetensors")
    (note,) = user_data.rglob("*.json")
    for content in (b"", b"[]", b'{"file": 7}', b"\xff"):
        note.write_bytes(content)
        assert known_weights(HASH) is None


def test_a_place_that_cannot_be_noted_stops_nothing(user_data: Path, tmp_path: Path):
    user_data.write_text("a file where the folder should be")
    assert not remember_weights(HASH, tmp_path / "a.safetensors")
