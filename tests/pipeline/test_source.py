"""Finding, checking and sampling labelled images."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tiny_vit import image_bytes, write_images
from vitpanel.errors import ImageSourceError
from vitpanel.models.images import Preprocessing
from vitpanel.pipeline.progress import Progress
from vitpanel.pipeline.source import ImageSource, open_images

CLASSES = ("ant", "bee")


def opened(path: Path, **options: Any) -> ImageSource:
    return open_images(path, progress=Progress(is_shown=False), **options)


def rows(source: ImageSource) -> list[tuple[str, str]]:
    return list(source.table[["file", "label_name"]].itertuples(index=False, name=None))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three images in each of two classes."""
    return write_images(tmp_path / "images", n_per_class=3, classes=CLASSES)


def csv(folder: Path, text: str) -> Path:
    path = folder / "images.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_folder_a_class_names_the_labels(folder: Path):
    source = opened(folder)
    assert rows(source) == [(f"{name}/{number}.png", name) for name in CLASSES for number in range(3)]
    assert source.root == folder
    assert source.skipped == []


def test_images_deeper_down_have_the_label_of_the_top_folder(folder: Path):
    (folder / "ant" / "red").mkdir()
    shutil.move(folder / "ant" / "0.png", folder / "ant" / "red" / "0.PNG")
    assert ("ant/red/0.PNG", "ant") in rows(opened(folder))


def test_images_at_the_top_have_no_label_and_other_files_are_left_out(tmp_path: Path):
    (tmp_path / "b.png").write_bytes(image_bytes([0]))
    (tmp_path / "a.png").write_bytes(image_bytes([1]))
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "folder.png").mkdir()
    source = opened(tmp_path)
    assert rows(source) == [("a.png", ""), ("b.png", "")]
    assert source.skipped == []


def test_a_csv_keeps_its_order_and_takes_labels_as_text(folder: Path):
    path = csv(folder, "split,label,file\ntest,007,bee/1.png\ntest,NA,ant/2.png\ntest,,ant/0.png\n")
    source = opened(path)
    assert rows(source) == [("bee/1.png", "007"), ("ant/2.png", "NA"), ("ant/0.png", "")]
    assert source.root == folder


def test_a_row_without_a_label_field_has_no_label(folder: Path):
    source = opened(csv(folder, "file,label\nbee/1.png,bee\nant/2.png\n"), per_class=1)
    assert rows(source) == [("bee/1.png", "bee"), ("ant/2.png", "")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,label\na.png,ant\n", "has no column file; it has path, label"),
        ("file,class\na.png,ant\n", "has no column label; it has file, class"),
        ("path,class\na.png,ant\n", "has no column file and no column label; it has path, class"),
        ("file,label\n", "names no images"),
        ("", "cannot be read as CSV"),
        ('file,label\n"a.png,ant\n', "cannot be read as CSV"),
        ("file,label\na.png,ant\na.png,ant,6,7\n", "cannot be read as CSV"),
    ],
)
def test_a_csv_that_cannot_be_used_is_refused(folder: Path, text: str, said: str):
    path = csv(folder, text)
    with pytest.raises(ImageSourceError) as caught:
        opened(path)
    assert caught.value.message.startswith(str(path))
    assert said in caught.value.message
    assert "file,label" in caught.value.hint


def test_other_columns_can_be_named(folder: Path):
    path = csv(folder, "ImageId,Class\nbee/1.png,bee\n")
    assert rows(opened(path, columns=("ImageId", "Class"))) == [("bee/1.png", "bee")]


def test_a_file_named_in_a_row_but_missing_is_skipped_by_name(folder: Path):
    source = opened(csv(folder, "file,label\nant/0.png,ant\nant/9.png,ant\n"))
    assert rows(source) == [("ant/0.png", "ant")]
    assert [item["file"] for item in source.skipped] == ["ant/9.png"]
    assert "No such file" in source.skipped[0]["reason"]


@pytest.mark.parametrize("per_class", [1, 2, 3, 9])
def test_a_draw_takes_at_most_so_many_of_each_class(folder: Path, per_class: int):
    labels = [label for _, label in rows(opened(folder, per_class=per_class))]
    assert {name: labels.count(name) for name in CLASSES} == dict.fromkeys(CLASSES, min(per_class, 3))


def test_a_draw_depends_on_the_seed_alone_and_keeps_the_order(tmp_path: Path):
    folder = write_images(tmp_path / "images", n_per_class=8, classes=CLASSES)
    whole = rows(opened(folder))
    draws = [rows(opened(folder, per_class=3, seed=seed)) for seed in range(5)]
    assert draws == [rows(opened(folder, per_class=3, seed=seed)) for seed in range(5)]
    assert len({tuple(draw) for draw in draws}) > 1
    for draw in draws:
        assert draw == [row for row in whole if row in draw]


def damaged_images(folder: Path) -> dict[str, str]:
    """Damage three images, and return their files with a word of the reason."""
    good = (folder / "ant" / "0.png").read_bytes()
    (folder / "ant" / "1.png").write_bytes(good[: len(good) // 2])
    (folder / "bee" / "0.png").write_bytes(b"no picture")
    (folder / "bee" / "2.png").write_bytes(b"")
    return {"ant/1.png": "truncated", "bee/0.png": "it is none of JPEG, PNG", "bee/2.png": "it is none of"}


def test_corrupt_and_truncated_images_are_skipped_with_a_reason(folder: Path):
    reasons = damaged_images(folder)
    source = opened(folder)
    assert rows(source) == [("ant/0.png", "ant"), ("ant/2.png", "ant"), ("bee/1.png", "bee")]
    assert [item["file"] for item in source.skipped] == list(reasons)
    for item in source.skipped:
        assert reasons[item["file"]] in item["reason"]
        assert Path(item["file"]).name in item["reason"]


def test_a_truncated_jpeg_is_skipped(folder: Path):
    file = folder / "ant" / "photo.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(file)
    assert not opened(folder).skipped
    file.write_bytes(file.read_bytes()[:-400])
    assert [item["file"] for item in opened(folder).skipped] == ["ant/photo.jpg"]


def test_nothing_but_corrupt_images_is_an_error_that_gives_the_first_reason(tmp_path: Path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(ImageSourceError, match=r"None of the 2 images of .* a\.png cannot be decoded") as caught:
        opened(tmp_path)
    assert "folder" in caught.value.hint


def test_an_empty_folder_and_no_folder_are_errors_with_a_way_out(tmp_path: Path):
    for path, said in [(tmp_path, f"{tmp_path} names no images."), (tmp_path / "no", f"nothing at {tmp_path / 'no'}.")]:
        with pytest.raises(ImageSourceError) as caught:
            opened(path)
        assert caught.value.message.endswith(said)
        assert "one folder of images a class" in caught.value.hint


def test_the_hash_knows_pixels_labels_and_names_but_not_the_place(folder: Path, tmp_path: Path):
    first = opened(folder).hash
    moved = shutil.copytree(folder, tmp_path / "moved")
    assert opened(moved).hash == first
    hashes = {first}
    with Image.open(moved / "ant" / "0.png") as image:
        red, green, blue = np.asarray(image)[5, 7]
        image.putpixel((7, 5), (int(red) ^ 1, int(green), int(blue)))
        image.save(moved / "ant" / "0.png")
    hashes.add(opened(moved).hash)
    (moved / "ant").rename(moved / "wasp")
    hashes.add(opened(moved).hash)
    (moved / "bee" / "2.png").rename(moved / "bee" / "3.png")
    hashes.add(opened(moved).hash)
    (moved / "bee" / "3.png").unlink()
    hashes.add(opened(moved).hash)
    assert len(hashes) == 5


def test_what_cannot_be_cropped_is_skipped_by_name(folder: Path):
    Image.new("RGB", (2, 5000)).save(folder / "ant" / "long.png")
    border = Preprocessing((3, 32, 32), (0.5,) * 3, (0.5,) * 3, crop_mode="border")
    source = opened(folder, preprocessing=border)
    assert [item["file"] for item in source.skipped] == ["ant/long.png"]
    assert "long.png: 2 × 5000 pixels are too narrow" in source.skipped[0]["reason"]
    assert not opened(folder).skipped


def test_what_is_unusual_about_images_that_are_taken_is_counted(folder: Path):
    grey = np.arange(64 * 64).reshape(64, 64)
    Image.fromarray((grey * 16).astype(np.uint16)).save(folder / "ant" / "16.png")
    Image.fromarray((grey // 2).astype(np.uint16)).save(folder / "ant" / "12.png")
    frames = [Image.new("L", (9, 9), value) for value in (0, 255)]
    frames[0].save(folder / "bee" / "a.gif", save_all=True, append_images=frames[1:])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (9, 5)).save(folder / "bee" / "a.jpg", exif=exif)
    remarks = " ".join(opened(folder).remarks)
    for said in ("1 file has several frames", "1 image was turned upright", "2 grey images were scaled", "1 of these"):
        assert said in remarks
    assert "turned" not in " ".join(opened(folder, upright=False).remarks)


def test_a_source_reads_its_files_as_it_was_told(folder: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (9, 5)).save(folder / "bee" / "a.jpg", exif=exif)
    assert opened(folder).read("bee/a.jpg").size == (5, 9)
    assert opened(folder, upright=False).read("bee/a.jpg").size == (9, 5)


def test_a_pipe_in_a_table_is_not_waited_for(folder: Path):
    os.mkfifo(folder / "pipe.png")
    source = opened(csv(folder, "file,label\npipe.png,ant\nant,ant\nant/0.png,ant\n"))
    assert [item["reason"] for item in source.skipped] == ["pipe.png is no regular file.", "ant is no regular file."]
