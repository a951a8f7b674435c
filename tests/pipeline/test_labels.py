"""Which class a label is."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from timm.data import ImageNetInfo
from timm.data.readers.reader_image_folder import find_images_and_targets

from tests.tiny_vit import write_images
from vitpanel.errors import ImageSourceError, StudyMismatchError
from vitpanel.pipeline.labels import check_resumed, match_labels, matched_labels, refuse_if_none

IMAGENET = list(ImageNetInfo().label_descriptions())
OTHER_LISTS = ("imagenet-12k", "imagenet-21k-goog")
TWELVE = [str(number) for number in range(1, 13)]


@pytest.mark.parametrize(
    ("labels", "class_names", "n_classes", "expected"),
    [
        (["dog", "cat", "dog"], ["cat", "dog"], 2, [1, 0, 1]),
        (["Polar_Bear", " polar bear "], ["ant", "polar bear"], 2, [1, 1]),
        (["tench", "Tinca tinca"], ["goldfish", "tench, Tinca tinca"], 2, [1, 1]),
        (["tench, Tinca tinca"], ["tench, Tinca tinca"], 1, [0]),
        (["", "wolf", "cat"], ["cat", "dog"], 2, [-1, -1, 0]),
        (["b", "a", "c", "a"], [], 3, [1, 0, 2, 0]),
        (["b", "", "a"], [], 2, [1, -1, 0]),
        (["b", "a"], [], 3, [-1, -1]),
        (["b", "a"], ["x", "y"], 2, [-1, -1]),
        # Two classes of one name are not one class, nor are two that differ by case.
        (["same"], ["same", "same"], 2, [-1]),
        (["Polish", "polish", "POLISH"], ["polish", "Polish"], 2, [1, 0, -1]),
        # A Mac writes ä as a and two dots.
        ([normalize("NFD", "Krähe")], ["Amsel", normalize("NFC", "krähe")], 2, [1]),
        (["001.tench", "n01440764", "n01440764_tench", "n01440764-tench"], IMAGENET, 1000, [0, 0, 0, 0]),
        (["001.Black_footed_Albatross"], ["Laysan Albatross", "Black footed Albatross"], 2, [1]),
        (["Black_footed_Albatross"], ["002.Laysan_Albatross", "001.Black_footed_Albatross"], 2, [1]),
        (["n02085620-Chihuahua", "n02085782-Japanese_spaniel"], ["Japanese spaniel", "Chihuahua"], 2, [1, 0]),
        (["n01440764", "n03000684"], ["tench", "English springer", "chain saw"], 3, [0, 2]),
        (["tench", "gold fish", "goldfish"], ["n01440764", "n01443537"], 2, [0, -1, 1]),
        (["n99999999", "n99999999_gong"], IMAGENET, 1000, [-1, 577]),
        (["782", "007", "3.0", "1200"], IMAGENET, 1000, [782, 7, 3, -1]),
        # Numbers are names where classes are called by numbers.
        (["1", "0", "3"], ["3", "2", "1"], 3, [2, -1, 0]),
    ],
)
def test_labels_are_matched(labels: list[str], class_names: list[str], n_classes: int, expected: list[int]):
    assert match_labels(labels, class_names, n_classes).tolist() == expected


@pytest.mark.parametrize(
    ("label", "place"),
    [
        *{"harp": 594, "gong": 577, "cardigan": 474, "tub": 876, "partridge": 86, "crayfish": 124}.items(),
        *{"Harp": 594, "mouth_harp": 593, "Cardigan": 264, "bathtub": 435, "maillot": 638, "tank suit": 639}.items(),
    ],
)
def test_a_whole_name_is_before_a_synonym_and_a_first_synonym_before_others(label: str, place: int):
    assert match_labels([label], IMAGENET, 1000).tolist() == [place]


def test_two_cranes_are_said_and_not_guessed():
    matched = matched_labels(["crane", "crane", "harp"], IMAGENET, 1000)
    assert matched.indices.tolist() == [-1, -1, 594]
    assert matched.unmatched == [
        {"label": "crane", "n_images": 2, "reason": "several classes are called so: 134 (crane) and 517 (crane)."}
    ]


def names_of_one_class(class_names: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Whole names that one class has, and names of any kind that only one class has, whatever their case."""
    whole, called = defaultdict(set), defaultdict(set)
    for place, name in enumerate(class_names):
        whole[name].add(place)
        for part in (name, *name.split(",")):
            called[part.strip().casefold()].add(place)
    first, second = ({name: min(p) for name, p in found.items() if len(p) == 1} for found in (whole, called))
    return first, second


@pytest.mark.parametrize(
    "subset", ["imagenet-1k", *(pytest.param(name, marks=pytest.mark.reliability) for name in OTHER_LISTS)]
)
def test_all_of_imagenets_unique_names_synonyms_and_synsets_are_their_classes(subset: str):
    info = ImageNetInfo(subset)
    class_names = list(info.label_descriptions())
    for expected in names_of_one_class(class_names):
        found = match_labels(list(expected), class_names, len(class_names))
        assert dict(zip(expected, found.tolist(), strict=True)) == expected
    assert match_labels(info.label_names(), class_names, len(class_names)).tolist() == list(range(len(class_names)))


def test_synsets_are_known_by_their_place_where_most_names_are_imagenets():
    renamed = [name.split(",")[0] for name in IMAGENET]
    renamed[123:126] = ["lobster of another name", "crayfish", "something else"]
    synsets = ImageNetInfo().label_names()
    assert match_labels(synsets, renamed, 1000).tolist() == list(range(1000))


def test_labels_that_are_no_class_are_counted_with_their_nearest_names():
    labels = ["Katze"] * 3 + ["dgo"] * 2 + ["frog", "brid", ""]
    matched = matched_labels(labels, ["bird", "cat", "dog", "frog"], 4)
    assert matched.indices.tolist() == [-1] * 5 + [3, -1, -1]
    assert matched.unmatched == [
        {"label": "Katze", "n_images": 3, "reason": "no class is called so."},
        {"label": "dgo", "n_images": 2, "reason": "no class is called so; the nearest: dog."},
        {"label": "brid", "n_images": 1, "reason": "no class is called so; the nearest: bird."},
    ]
    refuse_if_none(matched)


def test_labels_of_which_none_is_a_class_are_refused_with_the_ways_out():
    with pytest.raises(ImageSourceError) as caught:
        refuse_if_none(matched_labels(["Katze", "Hund", "brid"], ["bird", "cat"], 2))
    assert "'Katze' (no class is called so)" in caught.value.message
    assert "nearest: bird" in caught.value.message
    for option in ("--class-names", "--no-labels"):
        assert option in caught.value.hint
    refuse_if_none(matched_labels(["", ""], ["bird", "cat"], 2))


def test_numbers_that_begin_at_1_are_not_shifted():
    with pytest.raises(ImageSourceError, match="numbers up to 1000, but the model's 1000 classes are numbered from 0"):
        match_labels(["1", "500", "1000"], IMAGENET, 1000)
    assert matched_labels(["0", "999"], IMAGENET, 1000).remarks == [
        "2 labels are numbers, taken for classes from 0 on."
    ]


@pytest.mark.parametrize("labels", [TWELVE, ["Zebra", "ant"], ["img2", "img10", "img1"]])
def test_two_orders_are_asked_and_not_guessed(labels: list[str]):
    with pytest.raises(ImageSourceError) as caught:
        match_labels(labels, (), len(labels))
    for text in (", ".join(sorted(labels)[:8]), "natural", "string"):
        assert text in caught.value.message
    for option in ("--label-order", "--class-names"):
        assert option in caught.value.hint


def test_either_order_is_taken_when_it_is_given(tmp_path):
    root = write_images(tmp_path / "images", n_per_class=1, classes=TWELVE)
    timms = find_images_and_targets(str(root))[1]
    assert match_labels(TWELVE, (), 12, order="natural").tolist() == [timms[label] for label in TWELVE]
    by_letters = {label: place for place, label in enumerate(sorted(TWELVE))}
    assert match_labels(TWELVE, (), 12, order="string").tolist() == [by_letters[label] for label in TWELVE]


@pytest.mark.parametrize(
    ("labels", "n_classes", "expected"),
    [(["3", "7"], 9, [3, 7]), (["03", "07"], 12, [3, 7]), (["3", "12"], 12, None), (["10", "11"], 12, "asked")],
)
def test_some_numbers_are_classes_without_names_where_both_orders_agree(
    labels: list[str], n_classes: int, expected: Any
):
    if expected == "asked":
        with pytest.raises(ImageSourceError, match="two orders"):
            match_labels(labels, (), n_classes)
        assert match_labels(labels, (), n_classes, order="natural").tolist() == [10, 11]
        assert match_labels(labels, (), n_classes, order="string").tolist() == [2, 3]
    else:
        assert match_labels(labels, (), n_classes).tolist() == (expected or [-1] * len(labels))


def test_classes_without_names_are_called_by_their_labels():
    assert matched_labels(["b", "a", ""], (), 2).class_names == ("a", "b")
    assert matched_labels([""], (), 2).class_names == ("class 0", "class 1")


def test_a_study_with_other_labels_is_not_gone_on_with():
    known = pd.DataFrame({"label": [593, 1], "label_name": ["harp", "goldfish"]})
    check_resumed(known, known, IMAGENET)
    images = known.assign(label=np.array([594, 1]))
    with pytest.raises(StudyMismatchError, match=r"'harp' is class 593 .* there and class 594 \(harp\) here"):
        check_resumed(known, images, IMAGENET)
