"""Which files of a folder are images, and of which label."""

import os
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.tiny_vit import image_bytes
from vitpanel.errors import ImageSourceError
from vitpanel.pipeline.listing import Listing, list_images


def put(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(image_bytes([1]))
    return root


def rows(listing: Listing) -> list[tuple[str, str]]:
    return list(listing.table.itertuples(index=False, name=None))


def said(path: Path) -> tuple[str, str]:
    with pytest.raises(ImageSourceError) as caught:
        list_images(path)
    return caught.value.message, caught.value.hint


def test_hidden_and_system_files_are_no_classes_and_no_images(tmp_path: Path):
    put(tmp_path, "bird/0.png", "cat/0.png", "dog/0.png", ".ipynb_checkpoints/0.png", "cat/.ipynb_checkpoints/0.png")
    put(tmp_path, "cat/.hidden.png", "cat/._0.png", "__MACOSX/cat/0.png", "@eaDir/0.png", "lost+found/0.png")
    put(tmp_path, ".thumbnails/0.png", "cat/Thumbs.db", "desktop.ini")
    listing = list_images(tmp_path)
    assert rows(listing) == [(f"{name}/0.png", name) for name in ("bird", "cat", "dog")]
    (remark,) = listing.remarks
    assert remark.startswith("10 hidden or system entries are left out: .ipynb_checkpoints 2, ._0.png 1, .hidden.png 1")
    assert remark.endswith(" and 4 more.")


def test_every_ending_that_is_taken_and_no_other(tmp_path: Path):
    taken = ("a.JPG", "b.jpeg", "c.JPEG", "d.jfif", "e.webp", "f.Tiff", "g.ppm", "h.gif", "i.bmp", "j.png", "k.tif")
    put(tmp_path, *taken, "l.heic", "m.HEIC", "n.txt", "README")
    listing = list_images(tmp_path)
    assert [file for file, _ in rows(listing)] == list(taken)
    assert listing.remarks == ["4 files are no images by their ending: .heic 2, .txt 1, no ending 1."]


def test_folders_below_a_class_are_of_it(tmp_path: Path):
    put(tmp_path, "n01443537/images/n01443537_0.JPEG", "n01443537/images/more/1.JPEG", "n01629819/images/0.JPEG")
    assert {label for _, label in rows(list_images(tmp_path))} == {"n01443537", "n01629819"}


def test_links_to_classes_are_followed_and_loops_end(tmp_path: Path):
    put(tmp_path / "store" / "somewhere", "0.png", "deep/1.png")
    root = put(tmp_path / "images", "dog/0.png")
    (root / "cat").symlink_to(tmp_path / "store" / "somewhere")
    (root / "kitty").symlink_to(tmp_path / "store" / "somewhere")
    (root / "dog" / "up").symlink_to("..")
    (root / "cat" / "again").symlink_to(root / "cat")
    (root / "dog" / "link.png").symlink_to(root / "dog" / "0.png")
    assert rows(list_images(root)) == [
        ("cat/0.png", "cat"),
        ("cat/deep/1.png", "cat"),
        ("dog/0.png", "dog"),
        ("dog/link.png", "dog"),
        ("kitty/0.png", "kitty"),
        ("kitty/deep/1.png", "kitty"),
    ]


def test_what_is_no_file_is_counted(tmp_path: Path):
    put(tmp_path, "cat/0.png")
    (tmp_path / "cat" / "gone.png").symlink_to("nowhere")
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "cat" / "zero.png").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    listing = list_images(tmp_path)
    assert rows(listing) == [("cat/0.png", "cat")]
    (remark,) = listing.remarks
    assert remark.startswith("4 entries cannot be read")
    assert "cat/gone.png, cat/pipe.png, cat/zero.png, self.png" in remark


def test_a_name_that_is_not_utf_8_skips_the_file_alone(tmp_path: Path):
    put(tmp_path, "cat/0.png")
    for name in (b"cat/\xe9t\xe9.png", b"cat/\xff\xfe.png"):
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(image_bytes([1]))  # noqa: PTH118
    listing = list_images(tmp_path)
    assert rows(listing) == [("cat/0.png", "cat")]
    assert [item["file"] for item in listing.skipped] == [r"cat/\xe9t\xe9.png", r"cat/\xff\xfe.png"]
    assert all("not UTF-8" in item["reason"] for item in listing.skipped)


def test_a_folder_whose_name_is_not_utf_8_is_refused(tmp_path: Path):
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/ph\xf6tos"))
    put(root, "cat/0.png")
    assert r"ph\xf6tos" in said(root)[0]


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (("train/cat/0.png", "train/dog/0.png", "val/cat/0.png"), ("train", "val")),
        (("Train/cat/0.png", "TEST/cat/0.png", "extra/0.png"), ("TEST", "Train")),
        (("training/cat/0.png", "validation/cat/0.png", "testing/cat/0.png"), ("testing", "training", "validation")),
        (("train2017/cat/0.png", "val2017/cat/0.png"), ("train2017", "val2017")),
        (("seg_train/seg_train/sea/0.png", "seg_test/seg_test/sea/0.png"), ("seg_test", "seg_train")),
        (("test-images/0.png", "train_set/0.png"), ("test-images", "train_set")),
        (("train/0.png",), ("train",)),
        (("dev/cat/0.png", "cat/0.png"), ("dev",)),
    ],
)
def test_splits_are_no_classes(tmp_path: Path, files: tuple[str, ...], splits: tuple[str, ...]):
    message, hint = said(put(tmp_path, *files))
    assert " and ".join(splits) in message
    assert f"--images {tmp_path / splits[-1]}" in hint


@pytest.mark.parametrize(
    "files",
    [
        ("bus/0.png", "train/0.png", "car/0.png"),
        ("train_station/platform/0.png", "bullet_train/0.png"),
        ("test_tube/a/0.png", "contest/a/0.png"),
    ],
)
def test_classes_that_sound_like_splits_are_classes(tmp_path: Path, files: tuple[str, ...]):
    listing = list_images(put(tmp_path, *files))
    assert {label for _, label in rows(listing)} == {file.split("/")[0] for file in files}


def test_other_files_in_the_place_of_a_table_are_named_for_what_they_are(tmp_path: Path):
    put(tmp_path, "16.png")
    (tmp_path / "half.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF")
    pd.DataFrame({"file": ["a"]}).to_parquet(tmp_path / "x.parquet")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(tmp_path / "16.png")
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        archive.add(tmp_path / "16.png", "16.png")
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "16.png", "16.png")
    os.mkfifo(tmp_path / "pipe")
    for name, kind in {
        "16.png": "a picture",
        "x.parquet": "a Parquet file",
        "z.zip": "a ZIP archive",
        "t.tar": "a tar archive",
        "t.tar.gz": "a tar archive",
        "pipe": "no regular file",
    }.items():
        assert f"{name} is {kind}" in said(tmp_path / name)[0]


def test_no_images_are_explained_by_what_is_there(tmp_path: Path):
    put(tmp_path, "cat/0.heic", "cat/1.heic")
    assert "names no images. 2 files are no images by their ending: .heic 2." in said(tmp_path)[0]


def test_a_table_in_gzip_or_with_a_byte_order_mark_is_read(tmp_path: Path):
    table = pd.DataFrame({"file": ["a.png"], "label": ["cat"]})
    table.to_csv(tmp_path / "a.csv.gz", index=False)
    (tmp_path / "b.csv").write_text("\ufefffile,label\r\na.png,cat\r\n", encoding="utf-8")
    for name in ("a.csv.gz", "b.csv"):
        assert rows(list_images(tmp_path / name)) == [("a.png", "cat")]
