"""Bounds of messages."""

import base64
import gzip

import numpy as np
import pytest
from bokeh.core.serialization import Buffer, DeserializationError, Deserializer, Serialized, Serializer
from bokeh.core.types import ID

from vitpanel.runtime import guards
from vitpanel.runtime.messages import MOST, unpacked, weight


@pytest.fixture(autouse=True)
def _guarded() -> None:
    guards.install()


def packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


@pytest.mark.parametrize("size", [0, 1, 100, 1000])
def test_what_fits_is_unpacked(size: int):
    data = bytes(range(256)) * 4
    assert unpacked(packed(data[:size]), 1000) == data[:size]


@pytest.mark.parametrize("text", [packed(bytes(1001)), packed(bytes(100))[:20], "no base64!", "AAAA", ""])
def test_what_does_not_is_refused(text: str):
    with pytest.raises(DeserializationError):
        unpacked(text, 1000)


def test_several_buffers_count_together():
    half = {"type": "bytes", "data": packed(bytes(MOST // 2 + 1))}
    assert len(Deserializer().deserialize([half])[0]) == MOST // 2 + 1
    with pytest.raises(DeserializationError, match="more than 32 MB"):
        Deserializer().deserialize([half, half])


def test_one_buffer_counts_as_often_as_it_is_used():
    buffer = Buffer(id=ID("b"), data=bytes(MOST // 3))
    used = {"type": "bytes", "data": {"id": "b"}}
    with pytest.raises(DeserializationError, match="more than 32 MB"):
        Deserializer().deserialize(Serialized(content=[used] * 4, buffers=[buffer]))


@pytest.mark.parametrize("is_deferred", [True, False])
def test_arrays_come_through(is_deferred: bool):  # noqa: FBT001 - both
    array = np.arange(1000.0)
    serializer = Serializer(deferred=is_deferred)
    assert (Deserializer().deserialize(serializer.serialize(array)) == array).all()


def test_json_weighs_what_its_lists_will():
    assert weight("[[],[]]") > 64 * 4
    assert weight(bytes(10)) > 10
    assert weight("plain") == 5
