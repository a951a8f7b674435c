"""Take away what is broken in a study, so that the run that follows computes it anew, and say in words what that is."""

import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from vitpanel.errors import StudyError
from vitpanel.study.files import StudyFiles
from vitpanel.study.manifest import Manifest
from vitpanel.study.own_stages import HEADS
from vitpanel.study.places import stray_link
from vitpanel.study.stages import unknown_arrays, unknown_stages
from vitpanel.study.verify import Damage, verify_study

_SHOWN = 10


def mend(files: StudyFiles, manifest: Manifest, *, say: Callable[[str], object]) -> None:
    """Read a study whole, say what of it is broken, and take that away; a broken manifest is written anew.

    Raises
    ------
    StudyError
        If a folder stands where a file belongs, or a folder of the study is a link that leads out of it.
    """
    say("checking what is there")
    damages = verify_study(files.root).damages
    for line in _words(files, manifest, damages):
        say(line)
    of_files = [damage for damage in damages if damage.path != files.manifest]
    _remove(damage for damage in of_files if not _is_left(files, manifest, damage))
    if len(of_files) < len(damages):
        manifest.write(files.root)
    for folder in (files.receipts, files.crops(0).parent, *map(files.array, manifest.arrays())):
        link = stray_link(files.root, folder)
        if link is not None:
            message = f"{link} is a link that leads out of the study."
            raise StudyError(message, hint="Remove the link, then run the same command again.")


def _remove(damages: Iterable[Damage]) -> None:
    """Delete broken files, and links that lead out of the study; what they lead to is left alone.

    Raises
    ------
    StudyError
        If a folder stands where a file belongs: nobody but its owner knows what is in it.
    """
    for damage in damages:
        try:
            is_folder = stat.S_ISDIR(damage.path.lstat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if is_folder:
            message = f"{damage.path} is a folder where a file of the study belongs."
            raise StudyError(message, hint="Move it away, then run the same command again.")
        damage.path.unlink()


def _is_left(files: StudyFiles, manifest: Manifest, damage: Damage) -> bool:
    """Whether a broken file is of a stage that is not known here, so that nobody could compute it anew."""
    arrays = [name for name in unknown_arrays(manifest.stages) if name not in manifest.arrays()]
    if damage.path in map(files.stage_receipt, unknown_stages(manifest.stages)):
        return True
    return any(damage.path.is_relative_to(files.array(name)) for name in arrays)


def _words(files: StudyFiles, manifest: Manifest, damages: Iterable[Damage]) -> Iterator[str]:
    """What is broken, a line each for the first few, and what is computed anew for it."""
    found = list(damages)
    if not found:
        return
    yield f"{len(found)} broken or missing {'file' if len(found) == 1 else 'files'}:"
    yield from (f"  {damage.error.message}" for damage in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"  and {len(found) - _SHOWN} more; vitpanel inspect --verify lists all"
    stages = {name: spec.stage for name, spec in manifest.arrays().items()}
    redone: dict[str, None] = {}
    left: dict[str, None] = {}
    for damage in found:
        words = _redone(damage.path.relative_to(files.root), stages)
        (left if _is_left(files, manifest, damage) else redone)[words] = None
    if redone:
        yield f"computed anew: {_listed(list(redone))}"
    if left:
        yield f"left as it is, since its stage is not installed here: {_listed(list(left))}"


def _redone(relative: Path, stages: dict[str, str]) -> str:
    """What a run computes because of a broken file."""
    parts = relative.parts
    if parts[0] in {"blocks", "crops"} and relative.stem.isdecimal():
        return f"block {int(relative.stem)}"
    if parts[0] == "blocks":
        return f"the receipt of stage {relative.stem}"
    if parts[0] != "arrays.zarr":
        return relative.as_posix()
    name = next((name for name in stages if relative.is_relative_to(Path("arrays.zarr", name, "c"))), None)
    if name is None:
        return relative.relative_to("arrays.zarr").as_posix()
    block = relative.relative_to(Path("arrays.zarr", name, "c")).parts[0]
    return f"block {block}" if stages[name] == HEADS else f"{name} of block {block}"


def _listed(words: list[str]) -> str:
    shown = words if len(words) <= _SHOWN else [*words[: _SHOWN - 1], f"{len(words) - _SHOWN + 1} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
