"""A cache bounded by bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any


class ByteCache:
    """Least recently used entries go first when the limit is passed; safe to use from several threads.

    Parameters
    ----------
    limit
        Bytes kept at most; an entry larger than this is not kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Any:
        """Return the entry, or None."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: Hashable, value: Any, *, size: int) -> None:
        """Keep an entry of ``size`` bytes."""
        with self._lock:
            self.size -= self._entries.pop(key, (None, 0))[1]
            if size > self.limit:
                return
            self._entries[key] = (value, size)
            self.size += size
            while self.size > self.limit:
                self.size -= self._entries.popitem(last=False)[1][1]
