"""Patches are made where it is known what they patch, or nowhere."""

import pytest
from tornado.web import RequestHandler

from vitpanel.errors import UnguardedError, VitpanelError
from vitpanel.runtime import embedding, patching


def test_the_installed_versions_are_known():
    patching.check_versions()


@pytest.mark.parametrize("package", sorted(patching.KNOWN))
def test_other_versions_are_refused(monkeypatch: pytest.MonkeyPatch, package: str):
    monkeypatch.setattr(patching, "version", lambda name: "99.0" if name == package else "3.9.2")
    monkeypatch.setattr(patching, "KNOWN", {package: patching.KNOWN[package]})
    with pytest.raises(UnguardedError, match=f"{package} is 99.0") as caught:
        patching.check_versions()
    assert f"pip install '{package}>=" in caught.value.hint


class Upstream:
    """Stand-in for a class of Bokeh."""

    __module__ = "bokeh.somewhere"

    def there(self) -> int:
        return 1


def test_what_is_there_is_replaced():
    class Own(Upstream):
        there = Upstream.there

    patching.replace(Own, "there", lambda _: 2)
    assert Own().there() == 2


def test_what_is_gone_is_not_replaced():
    with pytest.raises(UnguardedError, match=r"Upstream of bokeh .* has no gone"):
        patching.replace(Upstream, "gone", lambda _: 2)


def test_an_override_of_nothing_is_refused():
    class Guard(Upstream):
        def gone(self) -> None: ...

    with pytest.raises(UnguardedError, match="has no gone"):
        patching.check_overrides(Guard)


def test_sites_that_may_embed_are_origins(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedding, "_allowed", set())
    embedding.allow(["https://Lab.example:8000", "http://[::1]:80"])
    assert embedding.frame_ancestors() == "frame-ancestors 'self' http://[::1]:80 https://lab.example:8000"
    for wrong in ("lab.example", "https://lab.example/", "*", "https://*", "https://a;script-src *", "https://a\nb"):
        with pytest.raises(VitpanelError, match="not the origin"):
            embedding.allow([wrong])


def test_a_handler_keeps_its_name_and_its_own_answers():
    from vitpanel.runtime.handlers import guarded

    class Handler(RequestHandler): ...

    assert guarded(Handler).__name__ == "Handler"
    assert issubclass(guarded(Handler), Handler)
    assert guarded(Handler) is guarded(Handler)
