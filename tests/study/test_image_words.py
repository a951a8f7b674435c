"""What was unusual about images, in words."""

from vitpanel.study.image_words import image_lines, remark_lines

UNMATCHED = [{"label": f"k{number}", "n_images": 2, "reason": "no class is called so."} for number in range(10)]


def test_remarks_labels_and_files_are_said_and_the_rest_counted():
    skipped = [{"file": f"{number}.png", "reason": "it is damaged"} for number in range(7)]
    lines = list(image_lines({"remarks": ["1 image was turned."], "unmatched": UNMATCHED, "skipped": skipped}))
    assert lines[0] == "1 image was turned."
    assert lines[1].startswith("10 labels are no class of the model, 20 images: judged by")
    assert lines[2] == "  k0 (2 images): no class is called so."
    assert "  and 2 more, in manifest.json" in lines
    assert "7 skipped:" in lines
    assert lines.count("  and 2 more, in manifest.json") == 2


def test_files_are_left_out_of_what_a_page_shows():
    images = {"remarks": ["a"], "skipped": [{"file": "0.png", "reason": "/home/me/0.png is damaged"}]}
    assert list(remark_lines(images)) == ["a"]


def test_a_study_of_an_older_version_has_nothing_to_say():
    assert list(image_lines({"root": "/photos", "hash": "0", "n_images": 1})) == []


def test_one_label_of_one_image():
    unmatched = [{"label": "k", "n_images": 1, "reason": "no class is called so."}]
    assert next(image_lines({"unmatched": unmatched})).startswith("1 label is no class of the model, 1 image:")
