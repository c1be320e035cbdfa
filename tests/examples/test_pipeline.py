"""The app `pipeline`, as its README shows it: workers that trap, stages that fail. Spec: SPEC section 9."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wippywasm.cli.commands import run_main
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine

PIPELINE = Path(__file__).resolve().parents[2] / "examples/pipeline"
BINARY = PIPELINE / "wasm/numbers.wasm"


def feed(engine: Engine, *numbers: str) -> int:
    return run_main(["--engine", engine.name, "-C", str(PIPELINE), "run", "feed", *numbers])


def test_its_binary_is_its_text_and_has_its_hash() -> None:
    assert wat2wasm((PIPELINE / "wasm/numbers.wat").read_text()) == BINARY.read_bytes()
    digest = hashlib.sha256(BINARY.read_bytes()).hexdigest()
    assert (PIPELINE / "_index.yaml").read_text().count(f"sha256:{digest}") == 2


def test_a_worker_that_traps_ends_its_own_job(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    assert feed(engine, "12", "97", "0", "27") == 0
    lines = capfd.readouterr().out.splitlines()
    trapped = lines.pop(2)
    assert trapped.startswith("0: factor: the guest trapped: integer divide by zero")
    assert lines == [
        "12: smallest factor 2, 9 steps",
        "97: smallest factor 97, 118 steps",
        "27: smallest factor 3, 111 steps",
    ]


def test_a_stage_that_fails_starts_again(
    engine: Engine, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert feed(engine, "12", "twelve", "27") == 1
    assert capfd.readouterr().out.splitlines() == [
        "12: smallest factor 2, 9 steps",
        "twelve: no answer, 3 times",
        "27: smallest factor 3, 111 steps",
    ]
    failures = [record.getMessage() for record in caplog.records if record.name == "wippywasm.services"]
    assert len(failures) == 3
    assert all("factor_stage failed, and starts again" in text for text in failures)
