"""What a pickle holds at its top, read from its opcodes; nothing of it is ever run."""

import pickletools
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

MOST_OPCODES = 2_000_000
_MARK = object()


@dataclass(eq=False)
class _Thing:
    """Something on the pickle's stack that is no text: a dictionary, or whatever has been made of others."""

    items: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pickled:
    """The top of a pickle.

    Parameters
    ----------
    keys
        Of the dictionary at the top; empty where something else is there.
    weights
        The key that leads to the weights; empty where they are at the top themselves, None where none were seen.
    classes
        Dotted names of what the pickle asks for that is not part of plain weights.
    """

    keys: tuple[str, ...] = ()
    weights: str | None = None
    classes: tuple[str, ...] = ()


def read_pickled(file: BinaryIO) -> Pickled:
    """Look at a pickle without unpickling it; one that is cut off is read as far as it goes."""
    stack, classes = list[Any](), list[str]()
    with suppress(ValueError, IndexError, KeyError, AttributeError, OverflowError):
        _run(pickletools.genops(file), stack, classes)
    items = stack[0].items if stack and isinstance(stack[0], _Thing) else {}
    leads = [key for key, value in items.items() if isinstance(value, _Thing) and _has_weights(value.items)]
    weights = "" if _has_weights(items) else leads[0] if leads else None
    return Pickled(tuple(items), weights, tuple(dict.fromkeys(name for name in classes if not _is_plain(name))))


def _is_plain(name: str) -> bool:
    """Whether torch reads it with ``weights_only=True``."""
    return name == "collections.OrderedDict" or (
        name.startswith("torch.") and not name.startswith(("torch.nn.", "torch.jit."))
    )


def _has_weights(items: Iterable[str]) -> bool:
    return sum(key.endswith((".weight", ".bias")) for key in items) > 1


def _run(opcodes: Iterable[Any], stack: list[Any], classes: list[str]) -> None:
    """Follow the stack of a pickle in names alone."""
    memo, words = dict[int, Any](), list[str]()
    for count, (opcode, argument, _) in enumerate(opcodes):
        name = opcode.name
        if isinstance(argument, str) and "UNICODE" in name:
            words.append(argument)
        if name == "GLOBAL":
            classes.append(str(argument).replace(" ", "."))
        elif name == "STACK_GLOBAL":
            classes.append(".".join(words[-2:]))
        if name == "STOP" or count > MOST_OPCODES:
            return
        _step(opcode, argument, stack, memo)


def _step(opcode: Any, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    """Do to the stack what an opcode does, with texts as they are and a `_Thing` for all else."""
    name = opcode.name
    if name in {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}:
        memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1]
        return
    if name in {"GET", "BINGET", "LONG_BINGET"}:
        stack.append(memo[argument])
        return
    taken = _taken(opcode, stack)
    if name in {"SETITEM", "SETITEMS"} and isinstance(taken[0], _Thing):
        pairs = zip(taken[1::2], taken[2::2], strict=False)
        taken[0].items.update({key: value for key, value in pairs if isinstance(key, str)})
    if name in {"SETITEM", "SETITEMS", "APPEND", "APPENDS", "ADDITEMS", "BUILD"}:
        stack.append(taken[0])
    elif name == "DUP":
        stack.extend([taken[0], taken[0]])
    else:
        stack.extend(_MARK if kind.name == "mark" else _made(argument) for kind in opcode.stack_after)


def _made(argument: Any) -> Any:
    return argument if isinstance(argument, str) else _Thing()


def _taken(opcode: Any, stack: list[Any]) -> list[Any]:
    """What an opcode takes from the stack, in order, without the mark."""
    kinds = [kind.name for kind in opcode.stack_before]
    taken = list[Any]()
    if "mark" in kinds:
        while (top := stack.pop()) is not _MARK:
            taken.insert(0, top)
        kinds = kinds[: kinds.index("mark")]
    for _ in kinds:
        taken.insert(0, stack.pop())
    return taken
