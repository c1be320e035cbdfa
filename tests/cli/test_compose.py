"""`wippywasm compose`: what it writes, and wrong uses. Spec: SPEC section 13."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.composition.composition_parts import COUNTERS, COUNTS, GREETER, log
from wippywasm import load


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    parts = {"counts": COUNTS, "counters": COUNTERS, "greeter": GREETER, "log": log("@1.0.0", 1), "module": "(module)"}
    for name, text in parts.items():
        (tmp_path / f"{name}.wat").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_composition_is_written(folder: Path, run: Run) -> None:
    ran = run("compose", "counts.wat", "counters.wat", "-o", "out.wasm")
    size = (folder / "out.wasm").stat().st_size
    assert (ran.code, ran.out, ran.err) == (0, "", f"wrote {size:,} bytes to out.wasm\n")
    with load(folder / "out.wasm").instantiate() as guest:
        assert guest.call("run", 7) == 701
    ran = run("compose", "--json", "counts.wat", "counters.wat", "-o", "out.wasm")
    assert json.loads(ran.out) == {"path": "out.wasm", "size": size}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["greeter.wat", "counters.wat", "-o", "x"], "counters.wat exports nothing that is imported"),
        (["greeter.wat", "module.wat", "-o", "x"], "module.wat is a core module"),
        (["greeter.wat", "none.wat", "-o", "x"], "there is no file 'none.wat'"),
        (["greeter.wat", "log.wat", "-o", "none/x"], "can't write 'none/x'"),
        (["greeter.wat", "log.wat"], "Missing option '-o'"),
        (["greeter.wat", "-o", "x"], "Missing argument 'PLUG...'"),
    ],
)
def test_wrong_uses(arguments: list[str], words: str, folder: Path, run: Run) -> None:
    ran = run("compose", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert not (folder / "x").exists()
