"""What the command line tests share: an app written on the spot, and a command run in this process."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from wippywasm.cli.commands import run_main
from wippywasm.engine.port import Engine


@dataclass(frozen=True)
class Ran:
    """What a command gave."""

    code: int
    out: str
    err: str


Write = Callable[[Mapping[str, "str | bytes"]], Path]
Run = Callable[..., Ran]


@pytest.fixture
def write_app(tmp_path: Path) -> Write:
    """Writes files (text is dedented) into a new app folder."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        app = tmp_path / "app"
        for name, content in files.items():
            path = app / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
        return app

    return write


@pytest.fixture
def run(engine: Engine, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `wippywasm` on one engine after the other."""

    def run(*arguments: str | Path) -> Ran:
        capfd.readouterr()
        code = run_main(["--engine", engine.name, *map(str, arguments)])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run
