"""A program run here and with wasmtime's own WASI: what it printed, and how it ended.

In: the file of a command (a module of preview 1 or a component of WASI 0.2), its words, what it reads, the folder that
it has as `/`. Out: an `End`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime
import wasmtime.component

import wippywasm
from wippywasm.errors import Trap
from wippywasm.wasi import Capture, Wasi, run_command

ENVIRONMENT = {"NAME": "value", "EMPTY": ""}


@dataclass(frozen=True)
class End:
    """An exit code, or -1 for a trap, and the standard streams."""

    code: int
    out: str
    err: str


class Peer:
    """The program with wasmtime's own WASI."""

    def __init__(self, path: Path) -> None:
        self._engine = wasmtime.Engine()
        self._run = self._component if b"\x0d\x00\x01\x00" in path.read_bytes()[:8] else self._module
        make: Any = wasmtime.component.Component if self._run == self._component else wasmtime.Module
        self._code = make(self._engine, path.read_bytes())

    def run(self, words: list[str], stdin: bytes, folder: Path) -> End:
        beside = folder.parent
        (beside / "input").write_bytes(stdin)
        config = wasmtime.WasiConfig()
        config.argv = words
        config.env = list(ENVIRONMENT.items())
        config.stdin_file = str(beside / "input")
        config.stdout_file, config.stderr_file = str(beside / "out"), str(beside / "err")
        config.preopen_dir(str(folder), "/")
        store = wasmtime.Store(self._engine)
        store.set_wasi(config)
        try:
            code = self._run(store)
        finally:
            store.close()
        return End(code, (beside / "out").read_text(), (beside / "err").read_text())

    def _module(self, store: Any) -> int:
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()
        start = linker.instantiate(store, self._code).exports(store)["_start"]
        return ended(start, store)

    def _component(self, store: Any) -> int:
        with wasmtime.component.Linker(self._engine) as linker:
            linker.add_wasip2()
            instance = linker.instantiate(store, self._code)
        exported = next(name for name in self._code.type.exports(self._engine) if name.startswith("wasi:cli/run@"))
        interface = instance.get_export_index(store, exported)
        run = instance.get_func(store, instance.get_export_index(store, "run", interface))
        return ended(run, store)


def ended(function: Any, store: Any) -> int:
    """The exit code of a call; a result of WASI 0.2 is none at all, or an error."""
    try:
        outcome = function(store)
    except wasmtime.ExitTrap as exited:
        return int(exited.code)
    except wasmtime.Trap:
        return -1
    except wasmtime.WasmtimeError as error:  # what a trap within a component is
        if "wasm trap: " not in str(error):
            raise
        return -1
    return 1 if isinstance(outcome, Exception) or getattr(outcome, "tag", "ok") == "err" else 0


class Ours:
    """The same here."""

    def __init__(self, path: Path, engine: str) -> None:
        self._component = wippywasm.load(path, engine=engine)

    def run(self, words: list[str], stdin: bytes, folder: Path) -> End:
        out, err = Capture(), Capture()
        options: dict[str, Any] = {"env": ENVIRONMENT, "stdin": stdin, "stdout": out, "stderr": err}
        with Wasi(args=words, mounts={"/": folder}, **options) as wasi:
            try:
                code = run_command(self._component, wasi)
            except Trap:
                code = -1
        return End(code, out.text, err.text)
