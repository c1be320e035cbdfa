"""The demo app, as its README shows it: through the command line and through `App`, on each engine that is here."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from wippywasm import engine as engines
from wippywasm.app import App
from wippywasm.errors import NotFoundError, PermissionDeniedError, Trap, ValueMismatchError, WitError

DEMO = Path(__file__).resolve().parents[2] / "examples/demo"
ALICE = {"id": 1, "name": "Alice", "tags": ["admin", "dev"], "active": True}
PROFILE = {
    "id": 1,
    "display": "Alice (#1)",
    "tags": ["admin", "dev"],
    "tag-count": 2,
    "role": "admin",
    "active": True,
}
T = TypeVar("T")


@pytest.fixture(params=["wasmer", "wasmtime"])
def engine(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    info = next(info for info in engines.available() if info.name == name)
    if not info.usable:
        pytest.skip(info.why)
    return name


# ------------------------------------------------------------------------------------------------ the command line


def wippywasm(engine: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from wippywasm.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "-C", str(DEMO), "--engine", engine, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_report_finds_nothing_wrong(engine: str) -> None:
    done = wippywasm(engine, "run", "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    assert done.stdout.rstrip().endswith("22 checks passed, 0 failed")


def test_one_call_prints_json(engine: str) -> None:
    done = wippywasm(engine, "call", "demo:transform_users", json.dumps([ALICE]))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [PROFILE]


def test_the_command_is_listed(engine: str) -> None:
    done = wippywasm(engine, "run", "list")
    assert done.returncode == 0
    assert "demo" in done.stdout
    assert "Call WebAssembly from Lua by id" in done.stdout


def test_every_entry_is_valid(engine: str) -> None:
    done = wippywasm(engine, "lint")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["demo:try_divide", "1", "0"], "division by zero"),
        (["demo:crash", "2"], "unreachable"),
        (["demo:complain", '"too hot"'], "wasi:cli"),
        (["demo:computer", "6", "7"], "demo:compute"),
        (["demo:compute", "6"], "demo:compute"),
    ],
)
def test_a_failed_call_says_why_and_exits_with_1(engine: str, arguments: list[str], complaint: str) -> None:
    done = wippywasm(engine, "call", *arguments)
    assert done.returncode in (1, 2)
    assert complaint in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------------------ Python


def in_demo(engine: str, talk: Callable[[App], Awaitable[T]]) -> T:
    async def main() -> T:
        async with App.load(DEMO, engine=engine) as app:
            return await talk(app)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("id", "arguments", "answer"),
    [
        ("answer", [], 42),
        ("greet", ["World"], "Hello, World!"),
        ("title_case", ["to be"], "To Be"),
        ("split_words", ["to be"], ["to", "be"]),
        ("sum_of_squares", [[3, 4]], 25),
        ("compute", [6, 7], 42),
        ("transform_users", [[ALICE]], [PROFILE]),
        ("filter_active", [[ALICE, {**ALICE, "active": False}]], [ALICE]),
        ("try_divide", [42, 6], 7),
        ("echo", ["grüße"], "grüße"),
        ("echo_bytes", [b"\0\xff"], b"\0\xff"),
        ("summarize", [[]], None),
        ("main", [], None),
    ],
)
def test_each_entry_answers(engine: str, id: str, arguments: list[Any], answer: Any) -> None:
    assert in_demo(engine, lambda app: app.call(f"demo:{id}", *arguments)) == answer


def test_each_failure_is_its_own_error(engine: str) -> None:
    async def talk(app: App) -> None:
        with pytest.raises(WitError):
            await app.call("demo:try_divide", 1, 0)
        with pytest.raises(Trap):
            await app.call("demo:crash", 2)
        with pytest.raises(PermissionDeniedError, match="wasi:cli"):
            await app.call("demo:complain", "too hot")
        with pytest.raises(ValueMismatchError, match=r"users\[0\]\.tags"):
            await app.call("demo:transform_users", [{**ALICE, "tags": 5}])
        with pytest.raises(NotFoundError, match="demo:compute"):
            await app.call("demo:computer", 6, 7)
        assert await app.call("demo:compute", 6, 7) == 42

    in_demo(engine, talk)


def test_many_calls_at_once_share_the_pools(engine: str) -> None:
    async def talk(app: App) -> list[Any]:
        calls = [app.call("demo:filter_active", [{**ALICE, "id": i}]) for i in range(50)]
        counts = [app.call("demo:count_calls") for _ in range(50)]
        return list(await asyncio.gather(*calls, *counts))

    answers = in_demo(engine, talk)
    assert [answer[0]["id"] for answer in answers[:50]] == list(range(50))
    assert sorted(answers[50:]) == list(range(1, 51))


# ------------------------------------------------------------------------------------------------ the files


def test_the_hashes_in_the_definitions_are_those_of_the_binaries() -> None:
    text = (DEMO / "_index.yaml").read_text()
    for binary in (DEMO / "wasm").iterdir():
        assert f"sha256:{hashlib.sha256(binary.read_bytes()).hexdigest()}" in text
        assert binary.stat().st_size < 150_000
