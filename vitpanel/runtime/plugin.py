"""Guards from the start of the server on: ``panel serve apps/explorer.py --plugins vitpanel.runtime.plugin``.

Panel runs an app's script at the first visit, which is when the script can install them at the earliest.
"""

from typing import Any

from vitpanel.runtime.guards import install

ROUTES: list[Any] = []  # asked for by Panel

install()
