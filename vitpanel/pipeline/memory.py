"""What the allocator does with freed memory."""

import ctypes
import sys

# Numbers of mallopt in glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
# The largest mmap threshold that glibc takes; larger arrays go back to the system when they are freed.
_MMAP_BYTES = 32 * 2**20
_KEPT_BYTES = 256 * 2**20


def keep_freed_memory() -> None:
    """Let glibc keep up to 256 MB of freed memory for the next allocations; elsewhere nothing happens.

    By default it gives back the few MB that each product of a block writes to, and the system clears them again for the
    next one.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _MMAP_BYTES)
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
