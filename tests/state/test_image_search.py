import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.errors import VitpanelError
from vitpanel.state.image_search import find_image, image_text, matching_images
from vitpanel.study.reader import open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("search") / "a.study", n_images=130))


@pytest.mark.parametrize("text", ["0", "1", "12", "129", "13", "00", "007"])
def test_ids_begin_with_what_is_typed(study, text: str):
    ids = [image for image in range(130) if str(image).startswith(text)]
    in_name = [i for i, row in enumerate(study.images.itertuples()) if text in row.file or text in row.label_name]
    expected = sorted(ids, key=lambda image: (len(str(image)), image)) + [i for i in in_name if i not in ids]
    assert matching_images(study, text, most=1000)[0] == expected


def test_names_match_in_upper_and_lower_case_and_are_no_patterns(study):
    shirts = [i for i, name in enumerate(study.images["label_name"]) if "T-shirt" in name]
    assert matching_images(study, "t-SHIRT & <", most=1000) == (shirts, len(shirts))
    assert matching_images(study, " t-shirt ") == (shirts[:30], len(shirts))
    assert matching_images(study, "t.shirt") == ([], 0)
    assert matching_images(study, " ") == ([], 0)


def test_what_is_offered_is_understood(study):
    assert image_text(study, 17) == f"17 · {study.images['label_name'][17]} · {study.images['file'][17]}"
    assert image_text(study, 6) == "6 · unlabelled/0006.png"
    assert all(find_image(study, image_text(study, image)) == image for image in range(130))


def test_a_single_match_is_found(study):
    assert find_image(study, "/0042") == 42
    assert find_image(study, " 42 ") == 42
    assert find_image(study, "") is None


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("130", "There is no image 130.", "from 0 to 129"),
        ("-1", "No image matches '-1'.", "from 0 to 129"),
        ("<b>cat", "No image matches '<b>cat'.", "part of a file or class name"),
        ("class 2", "images match 'class 2'.", "from the list"),
    ],
)
def test_what_cannot_be_found_is_said(study, text: str, message: str, hint: str):
    with pytest.raises(VitpanelError) as caught:
        find_image(study, text)
    assert message in caught.value.message
    assert hint in caught.value.hint
