"""Who is let in with a password: everybody who knows the one for all, or those whom a file names."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from secrets import compare_digest

from vitpanel.errors import VitpanelError

ENDING = ".json"
_CONTENT = 'It must hold names and their passwords as JSON: {"anna": "PASSWORD", "ben": "ANOTHER"}'


@dataclass(frozen=True)
class Users:
    """Those who are let in.

    Parameters
    ----------
    password
        The one for all; None where a file names them.
    file
        JSON file of users and passwords, which is read again when it has changed: who is added to it may come at once,
        and who is taken out no more.
    """

    password: str | None = None
    file: Path | None = None

    @classmethod
    def named_by(cls, text: str) -> "Users":
        """Those whom ``--basic-auth`` names.

        Raises
        ------
        VitpanelError
            If it is blank, would be a file and is none, or is a file that cannot be used.
        """
        if not text.strip():
            message = "--basic-auth is empty, so nobody would have to log in."
            hint = "Is the variable set that it is taken from? Give a password, or a JSON file of users and passwords."
            raise VitpanelError(message, hint=hint)
        path = Path(text)
        if _is_file(path):
            read_users(path)
            return cls(file=path)
        if text.lower().endswith(ENDING) or any(sign in text for sign in (os.sep, os.altsep) if sign):
            message = f"There is no file {text}, which --basic-auth names."
            hint = f"Check the path. A password on the command line does not end in {ENDING} and has no {os.sep} in it."
            raise VitpanelError(message, hint=hint)
        return cls(password=text)

    def password_of(self, name: str) -> str | None:
        """Password that lets somebody in, None for a stranger; raises as `read_users` does if the file has broken."""
        return self.password if self.file is None else _read_once(self.file, _stamp(self.file)).get(name)

    def know(self, name: str, password: str) -> bool:
        """Whether they let somebody in; raises as `read_users` does if their file cannot be used any more."""
        expected = self.password_of(name)
        # Bytes, since signs beyond ASCII are not compared otherwise; a command line and JSON may have halves of signs.
        given, wanted = (text.encode(errors="surrogatepass") for text in (password, expected or ""))
        return bool(expected) and compare_digest(given, wanted)


def read_users(path: Path) -> dict[str, str]:
    """Passwords by the names of users.

    Raises
    ------
    VitpanelError
        If the file cannot be read, is not JSON, names nobody, or has a password that is blank or no text. No password
        stands in the message.
    """
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of the encoding too
        # Without the error's own words, of which some show what stands in the file.
        where = f" from line {error.lineno} on" if isinstance(error, json.JSONDecodeError) else ""
        raise _unusable(path, f"is not JSON{where}") from error
    if not isinstance(found, dict) or not found:
        raise _unusable(path, f"is {_KINDS.get(type(found), 'a value')}, not users" if found else "names nobody")
    for name, password in found.items():
        if not name.strip() or not isinstance(password, str) or not password.strip():
            raise _unusable(path, f"has no text as the password of {name!r}" if name.strip() else "has a blank name")
    return found


@lru_cache(maxsize=1)
def _read_once(path: Path, _stamp: tuple[int, ...]) -> dict[str, str]:
    """Users of a file as long as it is the same; what is wrong with one is not kept."""
    return read_users(path)


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes along with a file, without reading it; empty for one that cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


_KINDS = {list: "a list", str: "a text", int: "a number", float: "a number"}


def _unusable(path: Path, what: str) -> VitpanelError:
    return VitpanelError(f"The file of users {path} {what}.", hint=_CONTENT)


def _is_file(path: Path) -> bool:
    with suppress(OSError):  # a password may be longer than a name of a file
        return path.is_file()
    return False
