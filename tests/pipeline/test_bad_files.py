"""Hundreds of damaged and hostile image files: each is taken or skipped by name, and nothing else happens."""

import io
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitpanel.models.images import Preprocessing
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.source import open_images

pytestmark = pytest.mark.reliability

N_MUTATED = 300
GOOD = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


def encoded(kind: str, size: tuple[int, int] = (48, 32)) -> bytes:
    coarse = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize(size).save(buffer, kind)
    return buffer.getvalue()


def mutated(data: bytes, generator: np.random.Generator) -> bytes:
    """Flip bytes, cut the end off, put a piece twice, or put noise in the middle."""
    changed = bytearray(data)
    act = generator.integers(4)
    at = int(generator.integers(len(data)))
    if act == 0:
        for place in generator.integers(len(data), size=generator.integers(1, 20)):
            changed[place] = generator.integers(256)
    elif act == 1:
        del changed[at:]
    elif act == 2:
        changed[at:at] = changed[at : at + 40]
    else:
        changed[at : at + 30] = generator.bytes(30)
    return bytes(changed)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header states a size that its few bytes do not have."""
    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [len(part[4:]).to_bytes(4) + part + zlib.crc32(part).to_bytes(4) for part in (header, data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def special_files(folder: Path) -> None:
    for name, data in {
        "empty.png": b"",
        "svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        "html.jpg": b"<!doctype html><img src=x>",
        "eps.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "bomb.png": png_of_size(20_000, 20_000),
        "widest.png": png_of_size(65_535, 65_535),
        "huge.png": png_of_size(2**31 - 1, 2**31 - 1),
        "none.png": png_of_size(0, 0),
    }.items():
        (folder / name).write_bytes(data)
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "loop.png").symlink_to("loop.png")
    Image.new("RGB", (1, 1)).save(folder / "taken_one.png")
    Image.new("RGB", (100_000, 1)).save(folder / "taken_long.png")
    Image.new("CMYK", (9, 9)).save(folder / "taken_cmyk.jpg")
    frames = [Image.new("L", (9, 9), value) for value in (0, 99)]
    frames[0].save(folder / "taken_frames.gif", save_all=True, append_images=frames[1:])


def test_every_bad_file_is_taken_or_skipped_by_name(tmp_path: Path):
    generator = np.random.default_rng(0)
    for number in range(N_MUTATED):
        ending, kind = list(GOOD.items())[number % len(GOOD)]
        (tmp_path / f"{number:03d}{ending}").write_bytes(mutated(encoded(kind), generator))
    special_files(tmp_path)
    preparing = Preprocessing((3, 32, 32), (0.5,) * 3, (0.5,) * 3)
    source = open_images(tmp_path, progress=Progress(is_shown=False), preprocessing=preparing)
    taken, skipped = set(source.table["file"]), {item["file"]: item["reason"] for item in source.skipped}
    assert len(taken) + len(skipped) == N_MUTATED + 8 + 4
    assert {name for name in taken | set(skipped) if "taken" in name} <= taken
    assert {"empty.png", "svg.png", "html.jpg", "eps.png", "bomb.png", "widest.png", "huge.png", "none.png"} <= set(
        skipped
    )
    assert all(name in reason for name, reason in skipped.items())
    assert len(skipped) > N_MUTATED / 4
    assert "3 entries cannot be read" in " ".join(source.remarks)
    for file in taken:
        assert preparing.crop(source.read(file)).size == (32, 32)
