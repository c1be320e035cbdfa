"""Entries composed with others. Spec: SPEC section 3."""

from __future__ import annotations

import asyncio
import hashlib
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.composition.composition_parts import FILTER, GREETER, log
from wippywasm import App
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import DefinitionError, PermissionDeniedError

FILES = {"greeter": GREETER, "filter": FILTER, "log": log("@1.0.0", 100), "other": log("@1.0.0", 1, "s32")}


def entry(name: str, method: str, more: str = "") -> str:
    return f"""
  - name: {name}
    kind: function.wat
    source: file://{name}.wat
    method: {method}
{textwrap.indent(more, "    ")}"""


LINE = "my:log/out#line"


def write(folder: Path, *entries: str) -> Path:
    for name, text in FILES.items():
        (folder / f"{name}.wat").write_text(text)
    (folder / "_index.yaml").write_text(f"namespace: t\nentries:{chr(10).join(entries)}\n")
    return folder


def call(folder: Path, engine: Engine, id: str, *args: Any) -> Any:
    async def run() -> Any:
        async with App.load(folder, engine=engine.name) as app:
            return await app.call(id, *args)

    return asyncio.run(run())


def test_an_entry_with_others(engine: Engine, tmp_path: Path) -> None:
    app = write(tmp_path, entry("greeter", "run", "with: [filter, log]"), entry("filter", LINE), entry("log", LINE))
    assert call(app, engine, "t:greeter", 5) == 210
    assert call(app, engine, "t:log", 5) == 105


def test_a_plug_with_plugs_of_its_own(engine: Engine, tmp_path: Path) -> None:
    app = write(
        tmp_path,
        entry("greeter", "run", "with: [filter]"),
        entry("filter", LINE, "with: [log]"),
        entry("log", LINE),
    )
    assert call(app, engine, "t:greeter", 5) == 210
    assert call(app, engine, "t:filter", 5) == 210


@pytest.mark.parametrize("kind", ["function.wasm", "function.wat"])
def test_what_is_left_is_granted_by_the_entry_that_is_called(kind: str, engine: Engine, tmp_path: Path) -> None:
    wasm = wat2wasm(GREETER)
    (tmp_path / "time.wasm").write_bytes(wasm)
    binary = f"fs: here\n    path: time.wasm\n    hash: sha256:{hashlib.sha256(wasm).hexdigest()}"
    source = binary if kind == "function.wasm" else "source: file://greeter.wat"
    time = f"""
  - name: here
    kind: fs.directory
    directory: .
  - name: time
    kind: {kind}
    {source}
    method: time
    with: [log]
"""
    denied = write(tmp_path, time, entry("log", LINE, 'imports: ["wasi:clocks"]'))
    with pytest.raises(PermissionDeniedError, match="monotonic-clock"):
        call(denied, engine, "t:time")
    app = write(tmp_path, time, '    imports: ["wasi:clocks"]', entry("log", LINE))
    assert call(app, engine, "t:time") > 0


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ((entry("greeter", "run", "with: [other]"), entry("other", LINE)), "it is not what 't:greeter' imports as"),
        ((entry("greeter", "run", "with: [nope]"),), "there is no entry 't:nope'"),
        (
            (entry("filter", LINE, "with: [greeter]"), entry("greeter", "run", "with: [filter]")),
            "components are composed with one another in a circle: t:filter → t:greeter → t:filter",
        ),
        (
            (
                entry("greeter", "run", "with: [core]"),
                "  - {name: core, kind: function.wat, source: '(module (func (export \"f\")))', method: f}",
            ),
            "'t:core' is a core module, and only components can be composed",
        ),
        ((entry("greeter", "run", "with: [data]"), "  - {name: data, kind: registry.entry}"), "is a registry.entry"),
    ],
)
def test_what_is_refused(entries: tuple[str, ...], words: str, tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        App.load(write(tmp_path, *entries))
    [problem] = [p for p in caught.value.problems if words in p.message]
    assert problem.field.startswith("with")


def test_a_broken_plug_is_one_problem(tmp_path: Path) -> None:
    app = write(tmp_path, entry("greeter", "run", "with: [log]"), entry("log", LINE))
    (tmp_path / "log.wat").write_text("(component")
    with pytest.raises(DefinitionError) as caught:
        App.load(app)
    assert [p.entry for p in caught.value.problems] == ["t:log"]
