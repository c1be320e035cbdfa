"""Apps whose guests spin: the loop stays alive, each call ends with its budget, the entry works again after that."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from wippywasm import App
from wippywasm.errors import TimedOutError

ENTRIES = """\
version: "1.0"
namespace: t
entries:
  - name: spin
    kind: function.wat
    method: spin
    limits: {max_execution_ms: 100}
    source: |
      (module (func (export "spin") (param i32) (result i32)
        (loop $l (br_if $l (local.get 0))) (i32.const 7)))
"""


async def test_spinning_entries(tmp_path: Path, engine: str) -> None:
    (tmp_path / "_index.yaml").write_text(ENTRIES)
    app = App.load(tmp_path, engine=engine)
    assert not app.warnings
    async with app:
        calls = [asyncio.ensure_future(app.call("t:spin", 1)) for _ in range(3)]
        longest = 0.0
        while not all(call.done() for call in calls):
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - before)
        for call in calls:
            with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
                call.result()
        assert longest < 2
        assert await app.call("t:spin", 0) == 7


STARTS = """\
version: "1.0"
namespace: t
entries:
  - name: start
    kind: function.wat
    method: f
    pool: {{{pool}}}
    source: |
      (module (func $spin (loop $l (br $l))) (start $spin) (func (export "f")))
"""


@pytest.mark.parametrize("pool", ["type: inline", "type: lazy", "type: adaptive"])
async def test_start_functions_that_spin(tmp_path: Path, engine: str, pool: str) -> None:
    """Without a limit they end with their caller only, and hold up nothing until then."""
    (tmp_path / "_index.yaml").write_text(STARTS.format(pool=pool))
    async with App.load(tmp_path, engine=engine) as app:
        call = asyncio.ensure_future(app.call("t:start"))
        for _ in range(5):
            await asyncio.sleep(0.005)
        assert not call.done()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert app.metrics()["t:start"].live == 0
