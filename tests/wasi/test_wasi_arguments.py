"""What can't be given to a guest or its hosts is refused where it is given: with its place, and what it must be."""

from __future__ import annotations

import asyncio
import io
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.wasi.conftest import Load
from tests.wasi.test_wasi_run import CAT
from wippywasm.errors import InvalidError
from wippywasm.wasi import (
    Capture,
    FakeClock,
    HostDirectory,
    MemoryDirectory,
    MemoryLink,
    Network,
    Wasi,
    run_command,
    run_command_async,
)
from wippywasm.wasi.http import HttpLimits
from wippywasm.wasi.network import Quotas


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"args": ["a\0b"]}, "without NUL"),
        ({"args": [1]}, r"args\[0\] must be a text without NUL and lone surrogates, not int 1"),
        ({"args": ["a", "\ud800"]}, r"args\[1\] must be a text"),
        ({"env": {"A": "\udcff"}}, r"env\['A'\] must be a text"),
        ({"env": {"\ud800": "a"}}, "a name in env must be a text"),
        ({"env": {"A": None}}, r"env\['A'\] must be a text .*, not NoneType"),
        ({"cwd": "/\ud800"}, "cwd must be a text"),
        ({"clock": FakeClock}, "clock must be a clock .*, not the class FakeClock"),
        ({"random": random.Random}, "random must be a seed .*, not the class Random"),
        ({"mounts": {1: "/tmp"}}, "guest path must be a text .*, not int 1"),
        ({"mounts": {"/a\ud800": "/tmp"}}, "guest path must be a text"),
        ({"stdin": io.StringIO("a")}, "stdin must be .*, not StringIO"),
        ({"stdout": io.StringIO()}, "stdout must be .*, not StringIO"),
        ({"stderr": io.StringIO()}, "stderr must be .*, not StringIO"),
        ({"stdout": Capture}, "stdout must be .*, not the class Capture"),
        ({"env": {"A=B": "c"}}, "can't be called 'A=B'"),
        ({"env": {"": "c"}}, "can't be called ''"),
        ({"cwd": "here"}, "must be absolute"),
        ({"args": "abc"}, "args must be a sequence of texts, not str"),
        ({"args": 3}, "args must be a sequence of texts, not int"),
        ({"env": [("a", "b")]}, "env must be a mapping or a function, not list"),
        ({"clock": 3}, "clock must be a clock .*, not int"),
        ({"random": "x"}, "random must be a seed or .*, not str"),
        ({"timezone": "UTC"}, "timezone must be a tzinfo, not str"),
        ({"http": 3}, "http must be an HttpLimits, not int"),
        ({"timezone": None}, "timezone must be a tzinfo, not NoneType"),
        ({"network": "example.org:80"}, "network must be a Network or a sequence of rules, not str"),
        ({"mounts": 3}, "mounts must be a mapping, not int"),
        ({"stdin": 5}, "stdin must be"),
        ({"stdout": "file.txt"}, "stdout must be"),
    ],
)
def test_a_world_that_can_not_be_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        Wasi(**wrong)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Network(5), "allow must be a sequence of rules, not int 5"),  # type: ignore[arg-type]
        (lambda: Network(listen=5), "listen must be"),  # type: ignore[arg-type]
        (lambda: Network(audit=5), "audit must be a function, not int 5"),  # type: ignore[arg-type]
        (lambda: Network(policy="x"), "policy must be a function"),  # type: ignore[arg-type]
        (lambda: Network(resolver=5), "resolver must be"),  # type: ignore[arg-type]
        (lambda: Network(tls=5), "tls must be"),  # type: ignore[arg-type]
        (lambda: Network(quotas=5), "quotas must be a Quotas"),  # type: ignore[arg-type]
        (lambda: Quotas(sockets="x"), "sockets must be a whole number from 0 on, not str 'x'"),  # type: ignore[arg-type]
        (lambda: Quotas(lookups=-1), "lookups must be a whole number from 0 on, not int -1"),
        (lambda: HttpLimits(head="x"), "head must be"),  # type: ignore[arg-type]
        (lambda: HttpLimits(buffer=0), "buffer must be a whole number from 1 on, not int 0"),
        (lambda: HttpLimits(connect_timeout=-1), "connect_timeout must be a number of seconds above 0, not int -1"),
        (lambda: HttpLimits(first_byte_timeout=float("nan")), "first_byte_timeout must be"),
        (lambda: HttpLimits(between_bytes_timeout=True), "between_bytes_timeout must be"),
        (lambda: Capture("x"), "limit must be"),  # type: ignore[arg-type]
        (lambda: Capture(-1), "limit must be"),
        (lambda: FakeClock("x"), "monotonic must be"),  # type: ignore[arg-type]
        (lambda: FakeClock(wall=-5), "wall must be"),
        (lambda: HostDirectory(5), "path must be a path, not int 5"),  # type: ignore[arg-type]
        (lambda: HostDirectory("/tmp", read_only="no"), "read_only must be True or False"),  # type: ignore[arg-type]
        (lambda: MemoryDirectory(5), "contents must be a mapping, not int 5"),  # type: ignore[arg-type]
        (lambda: MemoryDirectory({5: "a"}), "contents must have texts as names, not 5"),  # type: ignore[dict-item]
        (lambda: MemoryDirectory({"d": {5: "a"}}), "contents of d/ must have texts"),  # type: ignore[dict-item]
        (lambda: MemoryDirectory({"d": {"a": "\ud800"}}), "contents of d/'a' have a lone surrogate"),
        (lambda: MemoryDirectory({"a": "xxx"}, max_bytes=2), "contents of 'a' do not fit: insufficient-space"),
        (lambda: MemoryDirectory(max_nodes="z"), "max_nodes must be"),  # type: ignore[arg-type]
        (lambda: MemoryLink(5), "target must be a text"),  # type: ignore[arg-type]
        (lambda: MemoryLink(""), "target must not be empty"),
    ],
)
def test_what_a_host_is_made_of_is_checked(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        make()


@pytest.mark.parametrize("env", [None, 5, {"A": 1}, {"A=": "b"}, {"A": "\ud800"}])
def test_a_function_must_give_variables(env: Any) -> None:
    with pytest.raises(InvalidError, match=r"env\(\)"):
        Wasi(env=lambda: env).environment()


def run(load: Load, mode: str, wasi: Wasi) -> int:
    component = load(CAT)
    return asyncio.run(run_command_async(component, wasi)) if mode == "async" else run_command(component, wasi)


class Reads:
    """A file that some `read` makes."""

    def __init__(self, data: object) -> None:
        self._data = data

    def read(self, n: int) -> Any:
        return self._data


async def later(data: object) -> Any:
    await asyncio.sleep(0)
    return data


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("data", ["text", 5, True, ["a"], None])
def test_an_input_that_gives_no_bytes_ends_the_call(load: Load, mode: str, data: object) -> None:
    sources: list[Any] = [Reads(data), lambda n: data, lambda n: later(data)]
    for stdin in sources:
        with pytest.raises(InvalidError, match=f"`read` must give bytes, not {type(data).__name__}"):
            run(load, mode, Wasi(stdin=stdin, stdout=None))


class Writes:
    """A file of text, which nothing says it is."""

    def write(self, data: Any) -> None:
        "".join(data)


async def fails_later(data: bytes) -> None:
    await asyncio.sleep(0)
    raise OSError(28, "full")


def fails(data: bytes) -> None:
    raise OSError(28, "full")


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize(
    ("stdout", "why"), [(Writes(), "TypeError: sequence item 0"), (fails, "full"), (fails_later, "full")]
)
def test_output_that_was_lost_is_in_the_log(
    load: Load, mode: str, stdout: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        run(load, mode, Wasi(stdin=b"x" * 200_000, stdout=stdout))
    (record,) = caplog.records
    assert record.name == "wippywasm.wasi"
    assert why in record.getMessage()


class Raw(io.RawIOBase):
    """Takes three bytes at a time, and none after so many."""

    def __init__(self, room: int) -> None:
        self.data = b""
        self._room = room

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int | None:
        taken = bytes(data[: min(3, self._room - len(self.data))])
        self.data += taken
        return len(taken) or None


def test_a_raw_file_gets_all_of_it_or_the_log_tells(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    roomy: Any = Raw(room=100)
    full: Any = Raw(room=5)
    with caplog.at_level(logging.WARNING):
        run(load, "sync", Wasi(stdin=b"0123456789", stdout=roomy))
    assert roomy.data == b"0123456789"
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        run(load, "sync", Wasi(stdin=b"0123456789", stdout=full))
    assert "the file takes nothing now" in caplog.records[0].getMessage()


@pytest.mark.parametrize("count", [-1, 11, 1 << 70, 10.0, 0.0, "10", mock.ANY])
def test_a_raw_file_that_counts_wrong_fails(load: Load, count: Any, caplog: pytest.LogCaptureFixture) -> None:
    file: Any = Raw(room=100)
    file.write = lambda data: count
    with caplog.at_level(logging.WARNING):
        run(load, "sync", Wasi(stdin=b"0123456789", stdout=file))
    assert f"it took {count!r} of 10 bytes" in caplog.records[0].getMessage()


def test_input_that_fails_is_in_the_log(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    no_limit: Any = lambda: b""  # noqa: E731
    with caplog.at_level(logging.WARNING):
        run(load, "sync", Wasi(stdin=no_limit, stdout=None))
    assert "input of a guest failed: TypeError" in caplog.records[0].getMessage()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_in_the_log_too(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    with open("/dev/full", "wb", buffering=0) as full, caplog.at_level(logging.WARNING):
        run(load, "sync", Wasi(stdin=b"x", stdout=full))
    assert len(caplog.records) == 1
