"""What became of a request to the live model, as it is told."""

import logging
from concurrent.futures import CancelledError, Future
from typing import Any

from vitpanel.errors import VitpanelError, public_words
from vitpanel.state.online import Online

logger = logging.getLogger(__name__)


def outcome_of(future: "Future[Any]") -> Online[Any] | None:
    """What became of a request; None where it was dropped."""
    try:
        return Online("done", future.result())
    except CancelledError:
        return None
    except Exception as error:  # noqa: BLE001 - told
        return failure_of(error)


def failure_of(error: Exception) -> Online[Any]:
    """What to say of an error, in a browser too."""
    if isinstance(error, VitpanelError):
        return Online("failed", message=public_words(error.message), hint=public_words(error.hint))
    logger.error("The live model failed", exc_info=error)
    message = f"The model failed: {type(error).__name__}."
    return Online("failed", message=message, hint="The log has the details.")
