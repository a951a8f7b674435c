"""What is looked at, from an address of the app."""

from urllib.parse import parse_qsl

from vitpanel.errors import ChoiceError
from vitpanel.state.saved_state import FIELDS, starting_values
from vitpanel.state.selection import Selection
from vitpanel.state.url import apply_query
from vitpanel.study.reader import Study


def selection_of(study: Study, address: str) -> Selection:
    """Return what an address chooses, and where it says nothing what a page of the study starts with.

    Parameters
    ----------
    address
        The whole of it, or its query with or without the question mark. What is no part of a selection, like a theme,
        is passed over.

    Raises
    ------
    ChoiceError
        If the study does not have what it asks for, or nothing in it says what is chosen.
    """
    before, mark, query = address.partition("?")
    asked = dict(parse_qsl(query if mark else before, keep_blank_values=True))
    if address and not asked.keys() & set(FIELDS) and "theme" not in asked:
        message = f"{address[:80]!r} says nothing of what is chosen."
        raise ChoiceError(message, hint="Take it from the address of the app, for instance ?image=12&layer=0&head=4.")
    selection = Selection(study)
    refused = apply_query(selection, asked, study=study, start=starting_values(selection))
    if refused:
        raise ChoiceError(" ".join(refused), hint="Correct the state, or leave out what the study does not have.")
    return selection
