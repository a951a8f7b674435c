"""The names that a model's classes go by: their own, their synonyms, their WordNet synsets, their numbers."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

from timm.data import ImageNetInfo, infer_imagenet_subset

_SYNSET = re.compile(r"(n\d{8})(?:[\W_]+(.*))?", re.DOTALL)
_NUMBERED = re.compile(r"\d+[._\-\s]+(?=[^\W\d_])(.+)", re.DOTALL)
_NUMBER = re.compile(r"(\d+)(?:\.0)?", re.ASCII)
# Of timm's lists, with the words of all synsets of the others but two.
_LARGEST = "imagenet-21k-goog"


def spaced(name: str) -> str:
    """A name with single spaces for underscores; a Mac's decomposed letters are put together."""
    return " ".join(unicodedata.normalize("NFC", name).replace("_", " ").split())


def folded(name: str) -> str:
    """A name without regard to case, underscores and spaces."""
    return spaced(name).casefold()


def synonyms(name: str) -> list[str]:
    """What a class name lists after commas, the first being what the class is mostly called."""
    return [part.strip() for part in name.split(",")]


def number_in(label: str) -> int | None:
    """``782`` of ``"782"`` and, as pandas writes numbers, of ``"782.0"``."""
    found = _NUMBER.fullmatch(label.strip())
    return int(found[1]) if found else None


class ClassIndex:
    """Finds classes by what they are called.

    Parameters
    ----------
    class_names
        One a class; a name may list synonyms after commas, as ImageNet's do.

    Notes
    -----
    A name is looked for as it stands, then without regard to underscores and spaces, then also to case. Each time whole
    names come first, then the first synonyms, then the others. What several classes are called alike is nobody's.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.names = tuple(class_names)
        self.has_numbers = any(number_in(name) is not None for name in self.names)
        self._steps = [
            (key, _grouped(self.names, key, names))
            for key in (str, spaced, folded)
            for names in (_whole, _first, _others)
        ]
        self._by_synset = _grouped(_synsets(self.names), str, lambda synset: [synset] if synset else [])

    def find(self, label: str) -> list[int]:
        """Classes that a label may mean: one if it is clear, several if it is not, none if there is none.

        A label may be a name, a synset (``n01440764``), or either after a synset or a number (``n01440764_tench``,
        ``001.tench``). `number_in` and `has_numbers` are for numbers of classes.
        """
        found = self._named(label)
        if found:
            return found
        if synset := _SYNSET.fullmatch(label.strip()):
            return self._of_synset(synset[1]) or self._named(synset[2] or "")
        numbered = _NUMBERED.fullmatch(label.strip())
        return self._named(numbered[1]) if numbered else []

    def _named(self, label: str) -> list[int]:
        return next((index[key(label)] for key, index in self._steps if label and key(label) in index), [])

    def _of_synset(self, synset: str) -> list[int]:
        if self._by_synset:
            return self._by_synset.get(synset, [])
        words = _imagenet(_LARGEST)[1].get(synset, "")
        return self._named(words) or sorted({index for word in synonyms(words) for index in self._named(word)})


def _grouped(
    names: Sequence[str], key: Callable[[str], str], parts: Callable[[str], Sequence[str]]
) -> dict[str, list[int]]:
    """Indices of the names by the key of each of their parts, ascending."""
    grouped: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        for part in {key(part) for part in parts(name)}:
            grouped.setdefault(part, []).append(index)
    return grouped


def _whole(name: str) -> list[str]:
    return [name]


def _first(name: str) -> list[str]:
    return synonyms(name)[:1]


def _others(name: str) -> list[str]:
    """Synonyms after the first, a name without the synset or number before it, and the words of a bare synset."""
    if synset := _SYNSET.fullmatch(name):
        return [synset[2]] if synset[2] else synonyms(_imagenet(_LARGEST)[1].get(synset[1], ""))
    numbered = _NUMBERED.fullmatch(name)
    return [*synonyms(name)[1:], *([numbered[1]] if numbered else [])]


def _synsets(class_names: Sequence[str]) -> list[str]:
    """Synset of each class: that in its name, or by its index if most names have those of ImageNet."""
    written = [found[1] if (found := _SYNSET.fullmatch(name)) else "" for name in class_names]
    if any(written):
        return written
    subset = infer_imagenet_subset({"num_classes": len(class_names)})
    if subset is None or len(_imagenet(subset)[0]) != len(class_names):
        return []
    order, words = _imagenet(subset)
    n_alike = sum(
        bool(set(map(folded, synonyms(name))) & set(map(folded, synonyms(words[synset]))))
        for name, synset in zip(class_names, order, strict=True)
    )
    return order if n_alike > len(class_names) / 2 else []


@cache
def _imagenet(subset: str) -> tuple[list[str], dict[str, str]]:
    """Synsets of one of timm's lists in the order of its classes, and the words of each."""
    info = ImageNetInfo(subset)
    names = info.label_names()
    return names, {name: info.label_name_to_description(name) for name in names}
