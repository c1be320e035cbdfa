"""A page as a session: its blocks in order, in a folder and with names of their own.

What a page needs beside what it shows comes from `tests/docs/before/page_NAME.py`: files in its folder, names for its
Python blocks, and in `app/` the entries that its YAML blocks name and do not show. `examples`, `docs` and `wit` are
there as in a checkout.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

import wippywasm
from tests.docs.blocks import Block
from tests.docs.console_blocks import Shell, run_console
from tests.docs.python_blocks import run_python
from wippywasm import wit
from wippywasm.app.lua import check_syntax

ROOT = Path(__file__).resolve().parents[2]
BEFORE = Path(__file__).parent / "before"
NETWORK = bool(os.environ.get("WIPPYWASM_TEST_NETWORK"))


class Session:
    """Runs blocks. In: a folder for the page. `names` are shared by its Python blocks, `loop` by those that await."""

    def __init__(self, page: Path, folder: Path) -> None:
        self._folder = folder
        self._shell = Shell(folder, environment(folder))
        self._before = page.stem.replace("-", "_") if page.parent.name == "docs" else page.parent.name
        self._loop = asyncio.new_event_loop()
        self._names: dict[str, Any] = {"__name__": "__main__", "stack": contextlib.AsyncExitStack()}
        self._apps = 0

    def __enter__(self) -> Session:
        for name in ("examples", "docs", "wit"):
            (self._folder / name).symlink_to(ROOT / name)
        if (BEFORE / f"page_{self._before}.py").is_file():
            prepare = importlib.import_module(f"tests.docs.before.page_{self._before}").names
            self._names |= self._loop.run_until_complete(prepare(self._folder, self._names["stack"]))
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._loop.run_until_complete(self._names["stack"].aclose())
        finally:
            self._loop.close()
            for name, module in list(sys.modules.items()):
                if str(getattr(module, "__file__", "")).startswith(str(self._folder)):
                    del sys.modules[name]

    def run(self, block: Block) -> None:
        """`AssertionError` with the block's place where it does not do what the page says."""
        if "file" in block.notes:
            self._write(block)
        if skipped(block):
            return
        match block.language:
            case "python":
                self._python(block.text, block.place)
            case "console":
                self._shell = run_console(block.text, block.place, self._shell)
            case "yaml":
                self._load(block)
            case "lua":
                check_syntax(block.text, block.place)
            case "wit" if not block.notes:
                wit.parse_signatures(block.text)
            case language if language != "text" and not block.notes:
                raise AssertionError(f"{block.place}: a block in {language or 'no language'}, with no note what for")

    def _python(self, source: str, name: str) -> None:
        os.chdir(self._shell.folder)  # where a reader starts Python
        run_python(source, name, self._names, self._loop.run_until_complete)

    def _write(self, block: Block) -> None:
        target = self._folder / block.notes["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text)

    def _load(self, block: Block) -> None:
        """A definition file, a list of entries, or `.wippy.yaml`: the app that it makes has to load."""
        if "file" in block.notes:
            wippywasm.App.load(self._folder / Path(block.notes["file"]).parent)
            return
        self._apps += 1
        folder = self._folder / f"app-{self._apps}"
        beside = self._folder / "app"
        shutil.copytree(beside, folder) if beside.is_dir() else folder.mkdir()
        settings = block.text.startswith("# .wippy.yaml")
        if settings:
            (folder / "shown.yaml").write_text("namespace: app\nentries: []\n")
        (folder / (".wippy.yaml" if settings else "shown.yaml")).write_text(definition(block.text, folder))
        assert wippywasm.App.load(folder).entries or settings


def environment(home: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "HOME": str(home), "NO_COLOR": "1", "COLUMNS": "160"}


MODULES = """namespace: app
entries:
- {name: modules, kind: fs.directory, directory: modules}
"""


def modules_entry(folder: Path, more: str = "") -> Path:
    """Give the page's YAML blocks an entry `app:modules`, a folder, and `more`; the app's folder."""
    (folder / "app/modules").mkdir(parents=True)
    (folder / "app/beside.yaml").write_text(MODULES + more)
    return folder / "app"


def definition(text: str, folder: Path) -> str:
    """A fragment as a whole definition file; `sha256:…` is what the file at `path` has."""
    value = yaml.safe_load(text)
    if isinstance(value, list):
        text = f"namespace: app\nentries:\n{text}"
    elif "entries" in value and "namespace" not in value:
        text = f"namespace: app\n{text}"
    for path in re.findall(r"path: (\S+)", text):
        binary = folder / "modules" / path
        if binary.is_file():
            text = text.replace("sha256:…", f"sha256:{hashlib.sha256(binary.read_bytes()).hexdigest()}", 1)
    return text


def skipped(block: Block) -> bool:
    if "not run" in block.notes or ("network" in block.notes and not NETWORK):
        return True
    return "if" in block.notes and subprocess.run(["bash", "-c", block.notes["if"]], check=False).returncode != 0
