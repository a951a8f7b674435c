"""The texts behind "?"."""

import re

import pytest

from vitpanel.views.popover import chapter
from vitpanel.views.registry import on_demand
from vitpanel.views.registry import views as known_views
from vitpanel.views.view import View


@pytest.mark.parametrize("view", [*known_views().values(), *on_demand().values()], ids=[*known_views(), *on_demand()])
def test_each_view_has_a_chapter_in_paragraphs_without_links(view: type[View]):
    text = chapter(view.title)
    assert text.count("<p>") >= 3
    assert "href" not in text
    assert "##" not in text
    assert not re.search(r"\]\(", text)


def test_a_chapter_ends_where_the_next_begins():
    assert "<strong>Predictions.</strong>" in chapter("Head Importance")
    assert "<strong>Scatter.</strong>" not in chapter("Head Importance")
    assert chapter("No Such View") == ""
