"""The script of the tour is sent when it is asked for, and names what is on the page."""

import re
from typing import Any

import pytest

from vitpanel.app.page_menu import PageMenu
from vitpanel.state.brush import Ids
from vitpanel.state.selection import Selection
from vitpanel.views.registry import views as known_views


def test_the_tour_is_sent_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    menu, sent = PageMenu(Selection()), list[Any]()
    monkeypatch.setattr(menu, "_send_msg", sent.append)
    menu._handle_msg({"something": "else"})
    assert sent == []
    menu._handle_msg({"tour": True})
    (message,) = sent
    slugs = re.findall(r'"([a-z-]+)"', "".join(re.findall(r"slugs: \[(.*?)\]", message["script"])))
    assert set(slugs) == {
        "image-overview",
        "head-importance",
        "attention-strength",
        "pattern-overview",
        "attention-detail",
    }
    assert set(slugs) <= set(known_views())
    assert "Image Overview" not in str(menu._esm)


def test_the_offer_gives_way_to_brushes():
    selection = Selection()
    menu = PageMenu(selection)
    assert menu.has_room
    selection.images = Ids((1, 2))
    assert not menu.has_room
    selection.keep("mine", Ids((1, 2)))
    selection.images = None
    assert not menu.has_room
    selection.forget("mine")
    assert menu.has_room
