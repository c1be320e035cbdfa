"""A guard over an event loop: whatever would hold its thread fails, and is remembered.

In: a block of code in which loops run in this thread. Out: a list of what blocked, which has to stay empty. Looked at
are sleeping, sockets and pipes that wait, looking up names, waiting for other threads and for descriptors. Reading
regular files is no waiting.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import select
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

Judge = Callable[..., bool]


class BlockedLoopError(AssertionError):
    """Something waited on the thread of a running event loop."""


@contextmanager
def loop_guard() -> Iterator[list[str]]:
    """Gives the list of what blocked a loop of this thread, each with the call."""
    blocked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, blocks in WATCHED:
            patch.setattr(owner, name, watched(getattr(owner, name), name, blocks, blocked, threading.get_ident()))
        yield blocked


def watched(call: Callable[..., Any], name: str, blocks: Judge, blocked: list[str], thread: int) -> Callable[..., Any]:
    def checked(*args: Any, **options: Any) -> Any:
        if threading.get_ident() == thread and runs_a_loop() and blocks(*args, **options):
            blocked.append(f"{name}{args}")
            raise BlockedLoopError(blocked[-1])
        return call(*args, **options)

    return checked


def runs_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


# ---- whether a call may wait


def always(*args: Any, **options: Any) -> bool:
    return True


def waits_for_time(seconds: float) -> bool:
    return seconds > 0


def socket_waits(sock: socket.socket, *args: Any) -> bool:
    return sock.gettimeout() != 0


def descriptor_waits(fd: int, data: Any) -> bool:
    if stat.S_ISREG(os.fstat(fd).st_mode) or not os.get_blocking(fd):
        return False
    writes = not isinstance(data, int)
    poll = select.poll()
    poll.register(fd, select.POLLOUT if writes else select.POLLIN)
    return not poll.poll(0)


def selects_later(readers: Any, writers: Any, others: Any, timeout: float | None = None) -> bool:
    return timeout != 0


def waits_for_others(awaited: Any, timeout: float | None = None) -> bool:
    """Whether it waits for what another thread does in its own time."""
    if timeout == 0 or (isinstance(awaited, concurrent.futures.Future) and awaited.done()):
        return False
    frame = sys._getframe()
    while frame is not None and frame.f_code not in COMPUTING:
        frame = frame.f_back  # type: ignore[assignment]
    return frame is None


COMPUTING = {threading.Thread.start.__code__}
"""This waits for no event: a thread begins by itself."""

WATCHED: list[tuple[Any, str, Judge]] = [
    (time, "sleep", waits_for_time),
    (socket, "getaddrinfo", always),
    (socket, "gethostbyname", always),
    (socket, "getnameinfo", always),
    *((socket.socket, name, socket_waits) for name in ("connect", "accept", "recv", "recv_into", "recvfrom")),
    *((socket.socket, name, socket_waits) for name in ("send", "sendall", "sendto")),
    (os, "read", descriptor_waits),
    (os, "write", descriptor_waits),
    (select, "select", selects_later),
    (subprocess.Popen, "wait", always),
    (threading.Condition, "wait", waits_for_others),
    (concurrent.futures.Future, "result", waits_for_others),
]
