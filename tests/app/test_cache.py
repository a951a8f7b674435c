"""A cache bounded by bytes."""

from hypothesis import given
from hypothesis import strategies as st

from vitpanel.app.cache import ByteCache


def test_what_was_put_is_found_and_what_was_not_is_none():
    cache = ByteCache(10)
    cache.put("a", 1, size=4)
    assert cache.get("a") == 1
    assert cache.get("b") is None


def test_the_least_recently_used_goes_first():
    cache = ByteCache(10)
    cache.put("a", 1, size=4)
    cache.put("b", 2, size=4)
    cache.get("a")
    cache.put("c", 3, size=4)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_what_is_larger_than_the_cache_is_not_kept_and_displaces_nothing():
    cache = ByteCache(10)
    cache.put("a", 1, size=4)
    cache.put("b", 2, size=11)
    assert (cache.get("a"), cache.get("b"), cache.size) == (1, None, 4)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=40))
def test_the_size_is_the_sum_of_what_is_kept_and_never_over_the_limit(puts: list[tuple[int, int]]):
    cache, sizes = ByteCache(20), {}
    for key, size in puts:
        cache.put(key, key, size=size)
        sizes[key] = size
        kept = [key for key in sizes if cache.get(key) is not None]
        assert cache.size == sum(sizes[key] for key in kept) <= 20
