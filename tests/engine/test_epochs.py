"""The thread that ends slices on wasmtime."""

from __future__ import annotations

import os
import threading
import time

import pytest
import wasmtime

from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.wasmtime_epochs import Ticker


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two cores"
)
def test_slices_end_where_one_guest_has_the_core_of_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    usable = os.sched_getaffinity(0)
    monkeypatch.setattr(capi, "engine_increment_epoch", lambda engine: seen.append(os.sched_getaffinity(0)))

    def start() -> None:
        os.sched_setaffinity(0, {max(usable)})
        ticker.wake()

    seen: list[set[int]] = []
    ticker = Ticker(wasmtime.Engine())
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    while ticker.awake or not seen:
        time.sleep(0.01)
    assert all(cores == usable for cores in seen)
