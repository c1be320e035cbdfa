"""Which files of an app folder may be definition files.

In: the app folder. Out: every YAML file under its `src/` (else under itself), in a stable order.
Hidden folders and `node_modules` are passed over; links to folders are not followed, so no walk can loop.
Spec: SPEC section 2.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from wippywasm.app.paths import PathError

MAX_FOLDERS = 10_000

_SUFFIXES = (".yaml", ".yml")
_PASSED_OVER = frozenset({"node_modules", "__pycache__"})


def definition_root(app: Path) -> Path:
    """The folder that is scanned: `src/` where there is one."""
    source = app / "src"
    return source if source.is_dir() else app


def yaml_files(app: Path) -> Iterator[Path]:
    """Every candidate, parents before children, by name; raises `PathError` where there is no end of folders."""
    for count, (folder, folders, names) in enumerate(os.walk(definition_root(app))):
        if count >= MAX_FOLDERS:
            raise PathError(f"more than {MAX_FOLDERS:,} folders here; is this an app?", "choose its folder with -C")
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _PASSED_OVER)
        for name in sorted(names):
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)
