"""A service of the live model that a test asks, holds and waits for."""

import threading
from typing import Any

from vitpanel.app.inference import ModelService
from vitpanel.app.session_inference import SessionInference
from vitpanel.state.online import Online


class Blocked:
    """Keeps the worker of a service busy until it is let go."""

    def __init__(self, service: ModelService) -> None:
        self._go = threading.Event()
        service._pool.submit(self._go.wait, 60)

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """Let go."""
        self._go.set()


def answers(service: ModelService, kind: str, *where: int) -> list[Online[Any]]:
    """What a session hears until the end."""
    heard: list[Online[Any]] = []
    getattr(SessionInference(service), kind)(*where, heard.append)
    return heard


def idle(service: ModelService) -> None:
    """Wait until the service has computed what it wants to."""
    while True:
        service._pool.submit(lambda: None).result(60)
        if not service._wishes or not service._wishers:
            service._pool.submit(lambda: None).result(60)
            return
