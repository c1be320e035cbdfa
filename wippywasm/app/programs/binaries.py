"""Wasm binaries of `function.wasm` entries.

In: an entry and its filesystem entry. Out: bytes whose digest is the one the entry names, or a problem; nothing is
compiled before that. Spec: SPEC section 3.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from wippywasm.app.entry import Entry
from wippywasm.app.paths import MAX_BINARY_BYTES, PathError, inside, read_file
from wippywasm.app.programs.folders import folder_of
from wippywasm.app.report import Report


class Binaries:
    """Reads each file once, however many entries name it."""

    def __init__(self, app: Path, report: Report) -> None:
        self._app = app
        self._report = report
        self._read: dict[Path, tuple[bytes, str]] = {}

    def read(self, entry: Entry, filesystem: Entry) -> bytes | None:
        """The verified bytes; None after a problem."""
        try:
            data, digest = self._file(entry.data["path"], filesystem)
        except PathError as error:
            entry.at(self._report, "path").problem(error.message, error.hint)
            return None
        if digest != entry.data["hash"]:
            at = entry.at(self._report, "hash")
            at.problem(
                f"'{entry.data['path']}' has another hash: {digest}", "if the file is the right one, put that here"
            )
            return None
        return data

    def _file(self, path: str, filesystem: Entry) -> tuple[bytes, str]:
        folder = folder_of(filesystem, self._app)
        file = inside(folder, path.lstrip("/"), folder, f"the folder of '{filesystem.id}'")
        if file not in self._read:
            data = read_file(file, path, MAX_BINARY_BYTES)
            self._read[file] = data, f"sha256:{hashlib.sha256(data).hexdigest()}"
        return self._read[file]
