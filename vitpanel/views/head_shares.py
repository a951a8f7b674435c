"""What is brushed of each head, as far as there is anything to show of it."""

from vitpanel.errors import VitpanelError
from vitpanel.state.queries.brush_shares import BrushShares
from vitpanel.state.session import Session


def shown_shares(session: Session) -> tuple[BrushShares | None, BrushShares | None]:
    """How much of each head is brushed, and what of its attention goes to brushed tokens; each None without a brush.

    What a study cannot know of a brush is said where the page says what is brushed.
    """
    try:
        heads = session.head_shares()
    except VitpanelError:
        heads = None
    return heads, session.token_shares()
