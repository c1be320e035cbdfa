"""Where the folder of a filesystem entry is.

In: `fs.directory` entries. Out: absolute paths; a relative `directory` starts at the app folder. Spec: SPEC section 2.
"""

from __future__ import annotations

import os
from pathlib import Path

from wippywasm.app.entry import Entry
from wippywasm.app.report import Report


def folder_of(entry: Entry, app: Path) -> Path:
    """The folder of an `fs.directory` entry."""
    directory: str = entry.data["directory"]
    return app.resolve() / directory


def check_folder(entry: Entry, app: Path, report: Report) -> bool:
    """Whether files can be looked for in it; a problem where it is not there and nobody is to make it."""
    folder = folder_of(entry, app)
    at = entry.at(report, "directory")
    if folder.exists() and not folder.is_dir():
        at.problem(f"'{entry.data['directory']}' is not a folder")
    elif not folder.exists() and not entry.data.get("auto_init"):
        at.problem(f"there is no folder '{entry.data['directory']}' in the app folder", _hint(entry, app))
    else:
        return True
    return False


def make_folder(entry: Entry, app: Path) -> None:
    """Make the folder of an entry with `auto_init`, with its `mode`."""
    folder = folder_of(entry, app)
    if entry.data.get("auto_init") and not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(entry.data.get("mode", 0o755))


def _hint(entry: Entry, app: Path) -> str:
    """A relative folder starts at the app folder; people also try the YAML file's own, or have other apps below."""
    checkout = None if entry.file is None else _checkout_of(entry.file, app)
    if checkout is not None:
        return f"'{checkout}' is a checkout with definitions of its own: move it out of the app folder"
    beside = entry.file.parent / entry.data["directory"] if entry.file is not None else None
    if beside is not None and beside.is_dir():
        return f"write '{os.path.relpath(beside.resolve(), app.resolve())}': it starts at the app folder"
    return "make it, or set 'auto_init: true'"


def _checkout_of(file: Path, app: Path) -> Path | None:
    """The folder of a git repository that the file is in and the app is not, relative to the app's."""
    file, app = file.resolve(), app.resolve()
    below = [folder for folder in file.parents if app in folder.parents]
    return next((folder.relative_to(app) for folder in below if (folder / ".git").exists()), None)
