import base64

import numpy as np
import pytest
from bokeh.events import DoubleTap, SelectionGeometry, Tap

from vitpanel.elements import density
from vitpanel.state.brush import Ids, InRange
from vitpanel.state.image_search import image_text
from vitpanel.state.selection import Selection
from vitpanel.theme.palette import MUTED
from vitpanel.views.bridge import Bridge
from vitpanel.views.figures.image_card import data_uri
from vitpanel.views.image_overview import ImageOverview

LAYOUT = "layout/images_drop"


@pytest.fixture
def view(make_session):
    return ImageOverview(make_session(), Bridge())


def tap(view, x, y):
    fig = view.map.figure
    fig._trigger_event(Tap(fig, x=float(x), y=float(y)))


def test_map_has_every_image_where_the_layout_puts_it(view):
    study, points = view.session.study, view.map.points.data
    assert np.array_equal(np.stack([points["x"], points["y"]], 1), study[LAYOUT])
    assert points["colour"][6] == MUTED
    assert points["marker"][6] == "x"
    assert not {"thumbnail", "label"} & set(points)


def test_same_label_has_the_same_colour_and_shape(view):
    points, labels = view.map.points.data, view.session.study.images["label_name"]
    looks = set(zip(labels, points["colour"], points["marker"], strict=True))
    assert len(looks) == len(set(labels)) == len({look[1:] for look in looks})


def test_ring_is_at_the_chosen_image(view):
    layout = view.session.study[LAYOUT]
    assert view.map.ring.data["x"] == [layout[3, 0]]
    view.session.selection.image = 5
    assert view.map.ring.data["y"] == [layout[5, 1]]
    view.session.selection.image = None
    assert view.map.ring.data["x"] == []


def test_click_chooses_the_nearest_image(view):
    tap(view, *view.session.study[LAYOUT][8])
    assert view.session.selection.image == 8
    assert view.text.text == "8"


def test_double_click_shows_all_and_keeps_the_choice(view):
    fig, place = view.map.figure, view.session.study[LAYOUT][8]
    home = fig.x_range.start, fig.x_range.end
    fig.x_range.update(start=0.0, end=1.0)
    for kind in (Tap, DoubleTap):
        fig._trigger_event(kind(fig, x=float(place[0]), y=float(place[1]), sx=40.0, sy=40.0))
    assert view.session.selection.image == 3
    assert (fig.x_range.start, fig.x_range.end) == home


def test_quick_click_on_another_image_chooses_it(view):
    fig, layout = view.map.figure, view.session.study[LAYOUT]
    for kind, image, sx in ((Tap, 8, 40.0), (DoubleTap, 5, 90.0)):
        fig._trigger_event(kind(fig, x=float(layout[image, 0]), y=float(layout[image, 1]), sx=sx, sy=40.0))
        assert view.session.selection.image == image


def test_click_beside_all_images_changes_nothing(view):
    tap(view, 1e4, 1e4)
    assert view.session.selection.image == 3


def enter(view, text):
    """Enter a text in the box as the browser tells it."""
    view.text._handle_msg({"choose": text})


def test_typed_id_chooses(view):
    enter(view, " 7 ")
    assert view.session.selection.image == 7
    assert view.text.text == "7"
    enter(view, "")
    assert view.session.selection.image is None


def test_the_box_is_told_that_an_image_is_chosen_already(view):
    sent = []
    view.text._send_msg = sent.append
    enter(view, "3")
    assert sent == [{"is_taken": True}]


@pytest.mark.parametrize("text", ["cat", "12", "-1", "<b>"])
def test_wrong_id_is_said_in_place_and_changes_nothing(view, text):
    enter(view, text)
    assert view.text.is_wrong
    assert "from 0 to 11" in view.strip.object
    assert "<b>" not in view.strip.object
    assert view.session.selection.image == 3
    enter(view, "4")
    assert not view.text.is_wrong
    assert 'role="alert"' not in view.strip.object


def test_buttons_step_through_the_images_and_stop_at_the_ends(view):
    view.next.clicks += 1
    assert view.session.selection.image == 4
    view.session.selection.image = 0
    assert view.previous.disabled
    view.session.selection.image = 11
    assert view.next.disabled
    view.everything.clicks += 1
    assert view.session.selection.image is None
    assert view.everything.disabled


def test_strip_shows_the_picture_and_escapes_what_comes_from_files(view):
    study = view.session.study
    image = int(np.flatnonzero(study.images["label"] == 1)[0])
    view.session.selection.image = image
    picture = base64.b64encode(study.thumbnail(image)).decode()
    assert picture in view.strip.object
    assert "T-shirt &amp; &lt;top&gt;" in view.strip.object
    assert "<top>" not in view.strip.object


def test_unfinished_study_says_so_and_can_be_chosen_from_by_id(make_session):
    view = ImageOverview(make_session(finished=False), Bridge())
    assert "still lacks the maps" in view.chart.message
    enter(view, "2")
    assert view.session.selection.image == 2
    assert "<img" in view.strip.object
    enter(view, "11")
    assert view.session.selection.image == 11
    assert "<img" not in view.strip.object


def test_layout_of_another_metric(view):
    study = view.session.study
    view.layout.value = "jsd"
    assert view.session.selection.image_layout == "jsd"
    points = view.map.points.data
    assert np.array_equal(np.stack([points["x"], points["y"]], 1), study["layout/images_jsd"])
    assert view.map.ring.data["x"] == [study["layout/images_jsd"][3, 0]]
    assert view.map.figure.x_range.start < study["layout/images_jsd"][:, 0].min()


def test_model_without_a_class_head_is_laid_out_by_patches(make_session):
    view = ImageOverview(make_session(n_classes=0), Bridge())
    assert view.layout.options == {"CLS distance": "cls", "Patch distance": "patch"}
    assert view.layout.value == "patch"
    assert not view.chart.message
    assert [group["name"] for group in view.legend.groups] == ["no label"]


@pytest.mark.parametrize("colouring", ["label", "predicted", "correct"])
def test_every_colouring_tells_its_groups_apart(view, colouring):
    view.colouring.value = colouring
    groups, points = view.session.image_groups(), view.map.points.data
    names = [groups.names[code] for code in groups.codes]
    assert len(set(zip(names, points["colour"], points["marker"], strict=True))) == len(groups.names)
    assert [(group["name"], group["n"]) for group in view.legend.groups] == [
        (name, names.count(name)) for name in groups.names
    ]


@pytest.mark.parametrize("colouring", ["importance", "entropy", "distance"])
def test_colours_show_a_number_of_the_chosen_head_on_one_scale(view, colouring):
    view.colouring.value = colouring
    legend, numbers = view.legend, view.session.image_numbers()
    assert legend.groups == []
    assert "L0 H0" in legend.caption
    assert len(legend.scale["words"]) == 3
    assert legend.scale["note"].startswith("image 3: ")
    assert len(set(view.map.points.data["colour"])) > 5
    order = np.argsort(numbers.per_image)
    assert [view.map.points.data["colour"][image] for image in order[[0, -1]]] == [
        legend.scale["colours"][place] for place in (0, -1)
    ] or numbers.is_signed
    assert np.array_equal(view._table()[numbers.name], numbers.per_image)
    view.colouring.value = "label"
    assert legend.scale == {}
    assert legend.groups
    assert numbers.name not in view._table()


def test_images_are_recoloured_when_head_or_metric_changes(view):
    view.colouring.value = "importance"
    seen = {tuple(view.map.points.data["colour"])}
    for change in ({"head": 1}, {"metric": "jsd"}, {"layer": 1}):
        view.session.selection.param.update(**change)
        seen.add(tuple(view.map.points.data["colour"]))
    assert len(seen) == 4
    assert "JSD without L1 H1 (bits)" in view.legend.caption


def test_the_probability_of_the_label_is_a_number(view):
    view.colouring.value = "p_true"
    assert view.legend.caption == "p(label)"
    assert view.legend.scale["words"] == ["0", "0.500", "1.000"]
    assert view.examples.visible


def test_brushed_heads_are_offered_as_colours_and_change_none_by_themselves(view):
    selection, label = view.session.selection, list(view.map.points.data["colour"])
    assert "brush" not in view.colouring.options.values()
    assert view.legend.offer == ""
    selection.mark(InRange("entropy", low=0.6))
    assert list(view.map.points.data["colour"]) == label
    assert view.colouring.options["Heads in the brush"] == "brush"
    view.legend._handle_msg({"offer": True})
    assert (selection.colouring, view.colouring.value, view.legend.offer) == ("brush", "brush", "")
    n_brushed = np.count_nonzero(view.session.study["entropy"] >= 0.6, axis=(1, 2))
    assert np.array_equal(view._table()["n_brushed"], n_brushed)
    assert view.legend.scale["note"] == f"image 3: {n_brushed[3]}"
    assert view.examples.visible
    assert view.map.points.data["colour"][n_brushed.argmax()] == view.legend.scale["colours"][-1]


def test_colours_by_brushed_heads_follow_the_brush_and_fall_back_in_words(view):
    selection = view.session.selection
    selection.mark(Ids(((0, 1), (1, 2)), "head"))
    view.colouring.value = "brush"
    assert "mean of 2 brushed heads" in view.legend.caption
    seen = [tuple(view.map.points.data["colour"])]
    for change in ({"heads": Ids(((1, 0),), "head")}, {"metric": "jsd"}, {"heads": InRange("entropy", low=0.6)}):
        selection.param.update(**change)
        seen.append(tuple(view.map.points.data["colour"]))
    assert len(set(seen)) == len(seen)
    selection.heads = None
    assert view.legend.caption == "No heads are brushed any more. Label:"
    assert view.colouring.value == "label"
    assert "brush" not in view.colouring.options.values()
    selection.heads = Ids(((1, 0),), "head")
    assert view.colouring.value == "brush"
    view.colouring.value = "entropy"
    assert selection.colouring == "entropy"
    view.colouring.value = "label"
    assert view.legend.caption == "Label:"


def test_a_part_of_the_scale_brushes_the_images_in_it(view):
    selection = view.session.selection
    view.legend._handle_msg({"range": [0.2, 0.4]})
    assert selection.images is None
    view.colouring.value = "entropy"
    numbers = view.session.image_numbers()
    view.legend._handle_msg({"range": [0.25, 1]})
    low = numbers.low + 0.25 * (numbers.high - numbers.low)
    expected = numbers.per_image >= float(f"{low:.4g}")
    assert np.array_equal(view.session.brushed, expected)
    assert selection.images.high is None
    view.legend._handle_msg({"range": [0, 0.5], "alt": True})
    middle = float(f"{numbers.low + 0.5 * (numbers.high - numbers.low):.4g}")
    assert np.array_equal(view.session.brushed, expected & (numbers.per_image <= middle))


def test_all_images_with_a_text_in_their_names_are_brushed(view):
    view.text._handle_msg({"brush": "class 2"})
    expected = view.session.study.images["label_name"] == "class 2"
    assert np.array_equal(view.session.brushed, expected)
    view.text._handle_msg({"brush": "unlabelled", "shift": True})
    assert np.array_equal(view.session.brushed, expected | (view.session.study.images["label_name"] == ""))
    assert view.session.selection.image == 3


def test_images_from_the_least_to_the_largest_are_one_press_away(view):
    assert view.examples is None
    view.colouring.value = "entropy"
    shown, numbers = view.examples, view.session.image_numbers()
    assert [example["share"] for example in shown.examples] == ["1 %", "10 %", "50 %", "90 %", "99 %"]
    last = shown.examples[-1]
    assert last["image"] == int(np.nanargmax(numbers.per_image))
    assert last["picture"] == data_uri(view.session.study.thumbnail(last["image"]))
    assert shown.visible
    assert not view.strip.visible
    shown._handle_msg({"image": last["image"]})
    assert view.session.selection.image == shown.chosen == last["image"]
    assert view.legend.scale["note"] == f"image {last['image']}: {last['number']}"
    shown._handle_msg({"image": 10**6})
    assert view.session.selection.image == last["image"]
    view.colouring.value = "label"
    assert not shown.visible
    assert view.strip.visible


def test_a_refused_text_is_said_in_the_place_of_the_examples(view):
    view.colouring.value = "entropy"
    enter(view, "cat")
    assert view.strip.visible
    assert 'role="alert"' in view.strip.object
    assert not view.examples.visible
    enter(view, "4")
    assert view.examples.visible
    assert not view.strip.visible


def test_a_number_that_the_study_lacks_is_said_below_the_map(make_session):
    view = ImageOverview(make_session(n_classes=0), Bridge())
    view.session.selection.param.update(colouring="importance", metric="probability")
    assert "class" in view.legend.caption
    assert view.legend.groups == []
    assert view.examples is None
    assert set(view.map.points.data["colour"]) == {MUTED}
    view.session.selection.metric = "patch"
    assert len(set(view.map.points.data["colour"])) > 5


def test_images_without_a_number_are_grey(make_session):
    view = ImageOverview(make_session(finished=False), Bridge())
    view.colouring.value = "distance"
    colours = np.array(view.map.points.data["colour"])
    done = view.session.study.done_images
    assert set(colours[~done]) == {MUTED}
    assert MUTED not in colours[done]
    assert view.legend.scale["n_unknown"] == (~done).sum()


def test_an_entropy_that_is_not_defined_is_said(make_session):
    view = ImageOverview(make_session(rows=1, cols=1), Bridge())
    view.colouring.value = "entropy"
    assert "not known on any image" in view.legend.caption
    assert view.strip.visible


def test_the_look_at_the_start_may_be_by_a_head(make_session):
    view = ImageOverview(make_session(selection=Selection(image=3, colouring="distance")), Bridge())
    view.body()
    assert view.examples.visible
    assert not view.strip.visible
    assert view.legend.scale["words"]


def test_group_pointed_at_stands_out(view):
    view.legend.pointed = 1
    assert view.map.highlighted.view.filter.indices == np.flatnonzero(view.colours.groups.codes == 1).tolist()
    assert view.map.all.glyph.fill_alpha < 0.3
    view.legend.pointed = -1
    assert view.map.highlighted.view.filter.indices == []
    assert view.map.all.glyph.fill_alpha > 0.8


def test_group_pressed_is_brushed_and_can_be_cleared(view):
    view.legend._handle_msg({"pressed": 1})
    mask = view.colours.groups.codes == 1
    assert np.array_equal(view.session.brushed, mask)
    assert view.unbrush.label == f"Clear {mask.sum()} brushed"
    assert view.map.highlighted.view.filter.indices == np.flatnonzero(mask).tolist()
    assert np.array_equal(view._table()["brushed"], mask)
    view.unbrush.clicks += 1
    assert view.session.selection.images is None
    assert not view.unbrush.visible
    assert "brushed" not in view._table()
    view.legend._handle_msg({"pressed": 99})
    assert view.session.selection.images is None


def test_a_group_is_added_and_taken_away_by_keys(view):
    first, second = (view.colours.groups.codes == group for group in (0, 1))
    view.legend._handle_msg({"pressed": 0})
    view.legend._handle_msg({"pressed": 1, "shift": True})
    assert np.array_equal(view.session.brushed, first | second)
    view.legend._handle_msg({"pressed": 0, "shift": True, "ctrl": True})
    assert np.array_equal(view.session.brushed, second)
    view.legend._handle_msg({"pressed": 0, "alt": True})
    assert not view.session.brushed.any()
    view.session.selection.way = "add"
    view.legend._handle_msg({"pressed": 1})
    assert np.array_equal(view.session.brushed, second)


def test_box_brushes_what_it_encloses_and_stays_with_its_layout(view):
    fig, (x, y) = view.map.figure, view.session.study[LAYOUT].T
    box = {"type": "rect", "x0": -3.0, "x1": 4.0, "y0": -5.0, "y1": 5.0}
    fig._trigger_event(SelectionGeometry(fig, geometry=box, final=False))
    assert view.session.selection.images is None
    fig._trigger_event(SelectionGeometry(fig, geometry=box))
    mask = (x > -3) & (x < 4) & (y > -5) & (y < 5)
    assert np.array_equal(view.session.brushed, mask)
    assert view.map.outline.data["x"] == [-3, 4, 4, -3]
    view.layout.value = "patch"
    assert np.array_equal(view.session.brushed, mask)
    assert view.map.outline.data["x"] == []


def test_card_of_the_image_pointed_at(view):
    image = int(np.flatnonzero(view.session.study.images["label"] == 1)[0])
    view.pointer.data = {"image": [image]}
    (html,) = view.answer.data["html"]
    assert view.answer.data["image"] == [image]
    assert data_uri(view.session.study.thumbnail(image)) in html
    assert f"image {image}" in html
    assert "T-shirt &amp; &lt;top&gt;" in html
    assert "<top>" not in html
    assert "p(label)" in html
    view.pointer.data = {"image": [-1]}
    assert view.answer.data["image"] == [image]


def test_cards_say_the_number_and_are_asked_for_again_when_it_changes(view):
    view.pointer.data = {"image": [5]}
    assert "entropy" not in view.answer.data["html"][0]
    view.colouring.value = "entropy"
    assert view.answer.data["image"] == []
    assert view.pointer.data["image"] == [-1]
    view.pointer.data = {"image": [5]}
    assert f"Entropy of L0 H0: {view.session.study['entropy'][5, 0, 0]:.3f}" in view.answer.data["html"][0]
    view.session.selection.head = 1
    assert view.answer.data["image"] == []
    view.pointer.data = {"image": [5]}
    assert "Entropy of L0 H1: " in view.answer.data["html"][0]


def test_search_offers_a_few_of_the_images_that_match(view):
    sent = []
    view.text._send_msg = sent.append
    view.text._handle_msg({"search": "1", "id": 4})
    options = [image_text(view.session.study, image) for image in (1, 10, 11)]
    assert sent == [{"id": 4, "query": "1", "options": options, "n_named": 3}]
    enter(view, image_text(view.session.study, 8))
    assert view.session.selection.image == 8
    assert view.text.text == "8"


def test_many_images_are_painted_into_one_picture(make_session, monkeypatch):
    monkeypatch.setattr(density, "MOST_GLYPHS", 10)
    view = ImageOverview(make_session(), Bridge())
    assert view.map.all is None
    view.colouring.value = "distance"
    assert len(set(np.unique(view.map.source.data["image"][0])) - {0}) > 5
    view.colouring.value = "label"
    (pixels,) = view.map.source.data["image"]
    assert len(set(np.unique(pixels)) - {0}) == len(view.colours.groups.names)
    view.legend.pointed = 0
    (highlighted,) = view.map.source.data["image"]
    assert len(np.unique(highlighted)) == len(view.colours.groups.names) + 1
    assert not np.array_equal(highlighted, pixels)
    view.layout.value = "cls"
    assert not np.array_equal(view.map.source.data["image"][0], highlighted)
    tap(view, *view.session.study["layout/images_cls"][8])
    assert view.session.selection.image == 8


def test_files_say_what_lays_the_images_out_and_have_the_legend(view):
    sent = []
    view.view_tools._send_msg = sent.append
    view.layout.value = "probability"
    view.view_tools._handle_msg({"save": "image-overview", "kind": "png", "scale": 4})
    assert sent[0]["file"] == "image-overview_L0H0_image3_by-probability.png"
    assert sent[0]["scale"] == 4
    assert sent[0]["legend"] == {"caption": "Label:", "groups": view.legend.groups, "scale": {}}
    assert set(view._table()["layout"]) == {"probability"}
