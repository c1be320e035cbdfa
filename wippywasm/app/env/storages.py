"""Where the values of variables are kept.

In: names. Out: values, all of them text. What can't be written to says so with PermissionDeniedError.
Spec: SPEC section 2 (`env.storage.*`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from wippywasm.app.env.dotenv import parse, with_value
from wippywasm.errors import PermissionDeniedError, UnavailableError


class Storage(Protocol):
    """Values by name."""

    def get(self, name: str) -> str | None:
        """The value, or None where it has none; raises UnavailableError where it can't be read."""
        ...

    def set(self, name: str, value: str) -> None:
        """Keep a value; raises PermissionDeniedError where this can't be written to."""
        ...


class OsStorage:
    """The environment of the operating system's process, read-only."""

    def __init__(self, id: str) -> None:
        self._id = id

    def get(self, name: str) -> str | None:
        return os.environ.get(name)

    def set(self, name: str, value: str) -> None:
        _refuse(self._id)


class StaticStorage:
    """Values that stand in the entry, read-only."""

    def __init__(self, id: str, values: Mapping[str, str]) -> None:
        self._id = id
        self._values = values

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def set(self, name: str, value: str) -> None:
        _refuse(self._id)


class MemoryStorage:
    """Values that last as long as the app."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def set(self, name: str, value: str) -> None:
        self._values[name] = value


class FileStorage:
    """A file of `NAME=value` lines, read at each look, so that a change of it is seen."""

    def __init__(self, id: str, file: Path, mode: int) -> None:
        self._id = id
        self._file = file
        self._mode = mode

    def get(self, name: str) -> str | None:
        return parse(self._read()).get(name)

    def set(self, name: str, value: str) -> None:
        """Write the file anew beside the old one and put it in its place, so that nobody sees a half of it."""
        text = with_value(self._read(), name, value)
        beside = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._mode), "w", encoding="utf-8") as new:
                new.write(text)
            beside.replace(self._file)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise UnavailableError(f"{self._id}: {error.strerror}: '{self._file}'") from None

    def _read(self) -> str:
        try:
            return self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise UnavailableError(f"{self._id}: '{self._file}' can't be read: {error}") from None


class RouterStorage:
    """Several storages: the first that has a value gives it, the first of all is written to."""

    def __init__(self, storages: Sequence[Storage]) -> None:
        self._storages = storages

    def get(self, name: str) -> str | None:
        return next((value for storage in self._storages if (value := storage.get(name)) is not None), None)

    def set(self, name: str, value: str) -> None:
        self._storages[0].set(name, value)


def _refuse(id: str) -> None:
    raise PermissionDeniedError(f"the environment storage '{id}' is read-only")
