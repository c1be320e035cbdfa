"""`wippywasm run` with services: what runs is said, signals stop it in order, nothing is left. Spec: SPEC section 9."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.conftest import lua
from tests.processes.guests import FILES, SPIN, SPIN_WIT, wasm_process
from wippywasm.engine.port import Engine

PROGRAM = "from wippywasm.cli.main import main; main()"
POLITE = """
local name = ...
local events = process.events()
print("+" .. name)
local e = events:receive()
print("-" .. name .. " " .. e.reason)
"""
STUBBORN = """
print("+stubborn")
process.inbox():receive()
"""


def service(name: str, process: str, *lines: str) -> str:
    head = f"- name: {name}\n  kind: process.service\n  process: {process}\n  host: host\n  input: [{name}]\n"
    return head + "  lifecycle:\n" + "".join(f"    {line}\n" for line in ("auto_start: true", *lines))


@pytest.fixture
def app(tmp_path: Path) -> Path:
    entry, wasm = wasm_process("spin", SPIN, "spin", f"  wit: '{SPIN_WIT}'\n")
    (tmp_path / "spin.wasm").write_bytes(wasm)
    entries = (
        "- name: host\n  kind: process.host\n"
        + FILES
        + lua("polite", POLITE)
        + lua("stubborn", STUBBORN)
        + entry
        + service("web", "polite", "depends_on: [db, host]", "restart: {initial_delay: 1s, max_attempts: 3}")
        + service("db", "polite", "stop_timeout: 1m")
        + service("late", "stubborn", "stop_timeout: 100ms", "requires: [web]")
        + service("loop", "spin").replace("  input: [loop]\n", "")
    )
    text = "".join(f"  {line}\n" for line in entries.splitlines())
    (tmp_path / "_index.yaml").write_text(f"namespace: t\nentries:\n{text}")
    return tmp_path


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_stops_services_in_order(app: Path, engine: Engine, number: int, code: int) -> None:
    command = [sys.executable, "-u", "-c", PROGRAM, "--engine", engine.name, "run", str(app)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline().startswith("started 0 functions")
        assert process.stderr.readline() == "services: t:db, t:web, t:late, t:loop\n"
        assert {process.stdout.readline() for _ in range(3)} == {"+db\n", "+web\n", "+stubborn\n"}
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (code, "-web service stopping\n-db service stopping\n")
        assert err.endswith("warning services: t:late did not stop within 0.1 s, and was ended\n")
        assert err.count("\n") == 1, "nothing is told of those that stop in time, nor starts again"
    finally:
        process.kill()
        process.wait()


def test_a_second_signal_does_not_wait(app: Path, engine: Engine) -> None:
    text = (app / "_index.yaml").read_text()
    (app / "_index.yaml").write_text(text.replace("stop_timeout: 100ms", "stop_timeout: 10h"))
    command = [sys.executable, "-u", "-c", PROGRAM, "--engine", engine.name, "run", str(app)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.readline()
        assert {process.stdout.readline() for _ in range(3)} == {"+db\n", "+web\n", "+stubborn\n"}
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()
        process.communicate()


def test_services_in_a_circle_are_refused(app: Path) -> None:
    text = (app / "_index.yaml").read_text()
    (app / "_index.yaml").write_text(text.replace("stop_timeout: 1m", "requires: [web]"))
    command = [sys.executable, "-c", PROGRAM, "lint", str(app)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "services wait for one another in a circle: t:web → t:db → t:web" in done.stderr
    assert "1 problem" in done.stderr
