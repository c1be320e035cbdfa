"""What guests of this project's own C sources do with hosts, and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wasi.conftest import Load
from wippywasm.errors import PermissionDeniedError
from wippywasm.wasi import Capture, Wasi

PEOPLE = Path(__file__).resolve().parents[2] / "examples/demo/wasm/people.wasm"


def test_a_c_component_prints_once_it_may(load: Load) -> None:
    err = Capture()
    granted = Wasi(stderr=err).imports(["wasi:cli", "wasi:io", "wasi:filesystem"])
    with load(PEOPLE).instantiate(granted, undeclared="deny") as guest:
        guest.call("complain", "it is cold")
    assert "it is cold" in err.text


@pytest.mark.parametrize("granted", [["wasi:cli"], ["wasi:io"], ["wasi:cli/stdout", "wasi:io"], []])
def test_and_not_before(load: Load, granted: list[str]) -> None:
    linked = load(PEOPLE).link(Wasi(stderr=Capture()).imports(granted), undeclared="deny")
    with linked.instantiate() as guest, pytest.raises(PermissionDeniedError, match="which it was not granted"):
        guest.call("complain", "it is cold")
