"""What the allocator of a process of its own does."""

import subprocess
import sys
from textwrap import dedent

import pytest

from vitpanel.pipeline.memory import keep_freed_memory

CLEARED = dedent("""
    import ctypes, resource
    libc = ctypes.CDLL("libc.so.6")
    libc.malloc.restype, libc.free.argtypes, size = ctypes.c_void_p, [ctypes.c_void_p], 20 * 2**20

    def use_and_free():
        for place in [libc.malloc(size) for _ in range(4)]:
            ctypes.memset(place, 1, size)
            libc.free(place)

    def pages_cleared():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(5):
            use_and_free()
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    use_and_free()
    print(pages_cleared())
""")


def pages_cleared(first: str = "") -> int:
    done = subprocess.run([sys.executable, "-c", first + CLEARED], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone")
def test_memory_that_is_used_again_is_not_cleared_again():
    call = f"from {keep_freed_memory.__module__} import keep_freed_memory; keep_freed_memory()\n"
    assert pages_cleared(call) < 100 < pages_cleared()
