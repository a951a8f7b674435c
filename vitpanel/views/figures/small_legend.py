"""Legends inside of small figures."""

from collections.abc import Mapping

from bokeh.core.properties import value
from bokeh.models import GlyphRenderer, Legend, LegendItem

from vitpanel.theme.palette import TEXT


def create_small_legend(drawn: Mapping[str, GlyphRenderer]) -> Legend:
    """Legend in the upper left corner, without a ground, of what is drawn by its names; not visible yet."""
    return Legend(
        items=legend_items(drawn), location="top_left", visible=False, label_text_font_size="10px",
        label_text_color=TEXT, glyph_width=16, glyph_height=10, label_height=10, padding=2, spacing=1, margin=2,
        background_fill_alpha=0, border_line_alpha=0,
    )  # fmt: skip


def legend_items(drawn: Mapping[str, GlyphRenderer]) -> list[LegendItem]:
    """Items of a legend, by the names of what is drawn."""
    return [LegendItem(label=value(name), renderers=[renderer]) for name, renderer in drawn.items()]
