"""Names of files and numbers of things, as a person reads them."""

from collections import Counter
from collections.abc import Iterable

N_SHOWN = 5


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8 on disk; Python keeps other bytes as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def shown(name: str) -> str:
    r"""A file's name as one line that can be printed: what is not UTF-8 or moves the cursor as ``\x…``."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def counted(items: Iterable[str]) -> str:
    """``"a 3, b 1"``: how often each occurs, the most frequent first."""
    order = sorted(Counter(items).items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(order) - N_SHOWN} more" if len(order) > N_SHOWN else ""
    return ", ".join(f"{name} {count}" for name, count in order[:N_SHOWN]) + more


def number_of(count: int, one: str, many: str) -> str:
    """``"1 file"`` or ``"2 files"``."""
    return f"{count} {one if count == 1 else many}"
