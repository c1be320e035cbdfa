"""Whatever a guest does without end, its call ends with an error that names what was spent; the next call works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.machine.endless import ALONE, ENDLESS, KINDS, LIMITS, PATIENT, TIMED_OUT, end_of, limits_of
from wippywasm import App, Limits, Wasi
from wippywasm.errors import PoisonedError, TimedOutError, WippyError


@pytest.fixture
def linked(load: Any) -> Any:
    return load(ENDLESS).link(wasi=Wasi())


@pytest.mark.parametrize("kind", KINDS[1:])
def test_plain_calls(linked: Any, kind: str) -> None:
    error, text = end_of(kind)
    guest = linked.instantiate(limits=Limits(**limits_of(kind)))
    with pytest.raises(error, match=text):
        guest.call("act", KINDS.index(kind))
    with pytest.raises(PoisonedError):
        guest.call("act", 0)
    guest.close()
    with linked.instantiate(limits=Limits(**limits_of(kind) | PATIENT)) as other:
        assert other.call("act", 0) == 7


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_calls_by_tasks(linked: Any, kind: str) -> None:
    error, text = end_of(kind)
    guest = linked.instantiate(limits=Limits(**limits_of(kind)))
    with pytest.raises(error, match=text):
        await guest.call_async("act", KINDS.index(kind))
    with pytest.raises(PoisonedError):
        await guest.call_async("act", 0)
    guest.close()
    with linked.instantiate(limits=Limits(**limits_of(kind) | PATIENT)) as other:
        assert await other.call_async("act", 0) == 7


@pytest.mark.parametrize("name", ALONE)
async def test_allocations_and_post_returns(linked: Any, name: str) -> None:
    for is_plain in (True, False):
        guest = linked.instantiate(limits=Limits(**LIMITS))
        with pytest.raises(TimedOutError, match=TIMED_OUT):
            guest.call(name, *ALONE[name]) if is_plain else await guest.call_async(name, *ALONE[name])
        assert not guest.usable
        guest.close()


def test_destructors_that_the_host_runs(linked: Any) -> None:
    guest = linked.instantiate(limits=Limits(**LIMITS))
    with pytest.raises(TimedOutError, match=TIMED_OUT):
        guest.call("make").close()
    assert not guest.usable
    guest.close()
    with linked.instantiate(limits=Limits(**LIMITS)) as other:
        other.call("make")  # dropped at once, and nobody gets the error
        with pytest.raises(PoisonedError):
            other.call("act", 0)


# ---- apps

POOLS = {
    "inline": "{type: inline}",
    "lazy": "{type: lazy}",
    "static": "{type: static, workers: 1}",
    "adaptive": "{type: adaptive}",
    "threads": "{worker_class: wasm, workers: 1}",
}
ENTRY = """
  - name: {name}
    kind: function.wat
    source: file://guest.wat
    method: {method}
    imports: ["wasi:clocks", "wasi:io"]
    limits: {limits}
    pool: {pool}
"""


@pytest.mark.parametrize("pool", POOLS)
async def test_entries(tmp_path: Path, engine: str, pool: str) -> None:
    methods = {**dict.fromkeys(KINDS[1:], "act"), **{name: name for name in ALONE}}
    entries = [
        ENTRY.format(name=name, method=method, pool=POOLS[pool], limits=limits_of(name))
        for name, method in methods.items()
    ]
    (tmp_path / "_index.yaml").write_text('version: "1.0"\nnamespace: t\nentries:' + "".join(entries))
    (tmp_path / "guest.wat").write_text(ENDLESS)
    async with App.load(tmp_path, engine=engine) as app:
        for name, method in methods.items():
            error, text = end_of(name)
            with pytest.raises(WippyError, match=text) as caught:
                await app.call(f"t:{name}", *ALONE.get(name, (KINDS.index(name) if name in KINDS else 0,)))
            assert type(caught.value) is error
            metrics = app.metrics()[f"t:{name}"]
            assert (metrics.live, metrics.busy, metrics.errors) == (0, 0, 1)
            if method == "act":
                assert await app.call(f"t:{name}", 0) == 7
