"""What is brushed of each head, as far as there is anything to show of it."""

from vitpanel.errors import VitpanelError
from vitpanel.state.brush import HEAD
from vitpanel.state.queries.brush_shares import BrushShares
from vitpanel.state.session import Session
from vitpanel.views.figures.head_strip import HEADS, TOKENS, HeadMarks, head_marks, token_marks

# Parameters of a selection that change it.
SHARED_BY = ("heads", "tokens", "share_source", "image")


def shown_shares(session: Session) -> dict[str, BrushShares | None]:
    """How much of each head is brushed, and what of its attention goes to brushed tokens; each None without a brush.

    What a study cannot know of a brush is said where the page says what is brushed.
    """
    try:
        heads = session.head_shares()
    except VitpanelError:
        heads = None
    return {HEADS: heads, TOKENS: session.token_shares()}


def shown_marks(session: Session, *, dark: bool) -> dict[str, HeadMarks | None]:
    """The same as marks of the heads."""
    shares, brush = shown_shares(session), session.selection.heads
    heads, tokens = shares[HEADS], shares[TOKENS]
    is_of_heads = brush is not None and brush.item == HEAD
    return {
        HEADS: None if heads is None else head_marks(heads, is_of_heads=is_of_heads),
        TOKENS: None if tokens is None else token_marks(tokens, dark=dark),
    }
