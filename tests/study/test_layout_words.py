"""What layouts are called."""

import pytest

from tests.synthetic import synthetic_spec
from vitpanel.study.layout_words import layout_words


@pytest.mark.parametrize(
    ("array", "words"),
    [
        ("layout/images", "images by p(label), pruned"),
        ("layout/images_drop", "images by Probability"),
        ("layout/images_jsd", "images by JSD"),
        ("layout/cls", "heads by CLS"),
        ("layout/offset", "heads by Offset"),
        ("layout/images_of_others", "images by of others"),
    ],
)
def test_a_layout_is_called_by_what_it_is_by(array: str, words: str):
    assert layout_words(array, synthetic_spec()) == words


def test_images_without_classes_are_laid_out_by_another_metric():
    assert layout_words("layout/images", synthetic_spec(n_classes=0)) == "images by Patch distance"
