"""The tour as commands of an app: one program in several languages, run by `wippywasm run` as its users do.

In: a binary of the tour (`tour/tour.wit` says what each word does). Out: an app that has it as a command `tour`, and
scenarios, each of which runs it and says what has to come out.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GUESTS = Path(__file__).resolve().parent
LARGE = GUESTS.parents[1] / "build/guests/large"
PROGRAM = "from wippywasm.cli.main import main; main()"


@dataclass(frozen=True)
class Tour:
    """A binary: the exit codes of its language for a crash, a word that is none, and `exit 7`."""

    path: Path
    codes: tuple[int, int, int]
    is_component: bool = True

    @property
    def imports(self) -> str:
        """All that it asks for."""
        packages = ("io", "clocks", "cli", "random", "filesystem", "sockets", "http")
        return ", ".join(f"wasi:{package}" for package in packages) if self.is_component else "wasi1"


C = Tour(GUESTS / "tour.wasm", (1, 2, 7), is_component=False)
C_COMPONENT = Tour(GUESTS / "tour.component.wasm", (1, 1, 1))
GO = Tour(LARGE / "tour.go.wasm", (2, 2, 7), is_component=False)
GO_COMPONENT = Tour(LARGE / "tour.go.component.wasm", (1, 1, 1))
PYTHON = Tour(LARGE / "tour.py.wasm", (1, 1, 1))
JAVASCRIPT = Tour(LARGE / "tour.js.wasm", (1, 1, 1))

INDEX = """
namespace: t
entries:
  - {{ name: files, kind: fs.directory, directory: {binaries} }}
  - {{ name: data, kind: fs.directory, directory: data, auto_init: true }}
  - {{ name: kept, kind: fs.directory, directory: kept, auto_init: true }}
  - {{ name: values, kind: env.storage.static, values: {{ GREETING: "hello, wörld" }} }}
  - {{ name: os, kind: env.storage.os }}
  - {{ name: greeting, kind: env.variable, variable: GREETING, storage: values }}
  - {{ name: absent, kind: env.variable, variable: ABSENT, storage: values }}
  - {{ name: outside, kind: env.variable, variable: TOUR_OUTSIDE, storage: os }}
  - name: tour
    kind: process.wasm
    meta: {{ command: {{ name: tour, short: A tour }} }}
    fs: files
    path: /{name}
    hash: sha256:{hash}
    method: "{method}"
    imports: [{imports}]
    network: {{ allow: ["127.0.0.1:*"] }}
    wasi:
      env:
        - {{ id: greeting, name: TOUR_GREETING, required: true }}
        - {{ id: outside, name: TOUR_OUTSIDE }}
        - {{ id: absent, name: TOUR_ABSENT }}
      mounts:
        - {{ fs: data, guest: /data }}
        - {{ fs: kept, guest: /kept, read_only: true }}
"""


class Command:
    """The command `tour` of an app in a folder: `/data` and `/kept` (read-only) of the guest are folders in it."""

    environment = {"TOUR_OUTSIDE": "from outside", "TOUR_ABSENT": "never seen"}

    def __init__(self, tour: Tour, folder: Path, engine: str) -> None:
        self.tour = tour
        self.folder = folder
        self.arguments = ["-C", str(folder), "--engine", engine, "run", "tour"]
        text = INDEX.format(
            binaries=tour.path.parent,
            name=tour.path.name,
            hash=hashlib.sha256(tour.path.read_bytes()).hexdigest(),
            method="wasi:cli/run#run" if tour.is_component else "_start",
            imports=tour.imports,
        )
        (folder / "_index.yaml").write_text(text)
        for name in ("data", "kept"):
            (folder / name).mkdir()
        (folder / "kept/words").write_text("kept\n")

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        line = [sys.executable, "-c", PROGRAM, *self.arguments, *words]
        return subprocess.Popen(line, env={**os.environ, **self.environment}, **pipes)

    def run(self, *words: str, input: bytes = b"") -> tuple[int, bytes, bytes]:
        process = self.start(*words)
        out, err = process.communicate(input, timeout=600)
        return process.returncode, out, err


Scenario = Callable[[Command], None]


def arguments(command: Command) -> None:
    assert command.run("arguments", "a b", "", "grüße", "--json") == (0, "a b\n\ngrüße\n--json\n".encode(), b"")


def environment(command: Command) -> None:
    names = ("TOUR_GREETING", "TOUR_OUTSIDE", "TOUR_ABSENT", "PATH")
    said = "TOUR_GREETING=hello, wörld\nTOUR_OUTSIDE=from outside\nTOUR_ABSENT is not set\nPATH is not set\n"
    assert command.run("environment", *names) == (0, said.encode(), b"")


def pipes(command: Command) -> None:
    lines = b"".join(b"line %d\n" % i for i in range(20_000))
    assert command.run("upper", input=lines) == (0, lines.upper(), b"")


def as_it_comes_until_interrupted(command: Command) -> None:
    process = command.start("upper")
    assert process.stdin is not None
    assert process.stdout is not None
    for word in (b"one\n", b"two\n"):
        process.stdin.write(word)
        process.stdin.flush()
        assert process.stdout.readline() == word.upper()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=600) == 130
    out, err = process.communicate()
    assert (out, err.decode()) == (b"", ""), err.decode()


def files(command: Command) -> None:
    data = bytes(range(256)) * 1000
    (command.folder / "data/from").write_bytes(data)
    assert command.run("copy", "/data/from", "/data/to") == (0, b"", b"")
    assert (command.folder / "data/to").read_bytes() == data
    assert command.run("list", "/data") == (0, b"from\nto\n", b"")
    assert command.run("remove", "/data/from") == (0, b"", b"")
    assert os.listdir(command.folder / "data") == ["to"]


def refused_files(command: Command) -> None:
    (command.folder / "outside").write_text("secret")
    for words in (
        ("remove", "/data/none"),
        ("copy", "/data/../outside", "/data/stolen"),
        ("copy", "/kept/words", "/kept/more"),
    ):
        code, out, err = command.run(*words)
        assert (code, out) == (1, b"")
        assert err.startswith(b"tour: ")
    assert os.listdir(command.folder / "kept") == ["words"]
    assert os.listdir(command.folder / "data") in ([], ["stolen"])
    assert all(file.read_bytes() == b"" for file in (command.folder / "data").iterdir())


def sleeping(command: Command) -> None:
    assert command.run("sleep", "20") == (0, b"slept\n", b"")


def exit_codes(command: Command) -> None:
    crash, unknown, seven = command.tour.codes
    assert command.run("exit", "0") == (0, b"", b"")
    assert command.run("exit", "7") == (seven, b"", b"")
    code, out, err = command.run("crash")
    assert (code, out, bool(err)) == (crash, b"", True)
    code, out, err = command.run("nonsense")
    assert (code, out) == (unknown, b"")
    assert b"nonsense" in err


def interrupted(command: Command) -> None:
    process = command.start("spin")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=600) == (b"", b"")
    assert process.returncode == 130


def closed_input(command: Command) -> None:
    assert command.start("upper", stdin=subprocess.DEVNULL).communicate(timeout=600) == (b"", b"")


SCENARIOS: tuple[Scenario, ...] = (
    arguments,
    environment,
    pipes,
    as_it_comes_until_interrupted,
    files,
    refused_files,
    sleeping,
    exit_codes,
    interrupted,
    closed_input,
)
