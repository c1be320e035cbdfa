"""Parameters, and the host's own variables, may have the names that generated code and the runtime use themselves."""

from __future__ import annotations

from typing import Any

import pytest

from wippywasm.errors import Trap

TEXT = """(component
  (import "h" (func $h))
  (core module $l (memory (export "memory") 1))
  (core instance $l (instantiate $l))
  (core func $h (canon lower (func $h)))
  (core module $m
    (import "" "h" (func $h))
    (func (export "f") (param i32) (result i32) (call $h) (i32.const 0)))
  (core instance $m (instantiate $m (with "" (instance (export "h" (func $h))))))
  (func (export "f") (param "NAME" u32) (result string)
    (canon lift (core func $m "f") (memory (core memory $l "memory")))))"""
NAMES = ["x", "r", "entering", "caller", "inst", "error", "core", "view", "end", "cx", "m", "tried", "extra", "named"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_host_function_raises_is_its_own(load: Any, name: str) -> None:
    raised = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "the host's")

    def fail() -> None:
        raise raised

    with load(TEXT.replace("NAME", name)).instantiate({"h": fail}) as guest:
        with pytest.raises(UnicodeDecodeError) as caught:
            guest.call("f", 1)
        assert caught.value is raised


@pytest.mark.parametrize("name", NAMES)
def test_a_guest_that_is_entered_again_traps(load: Any, name: str) -> None:
    entering = iter([1, 2])

    def again() -> None:
        assert entering is not None
        guest.call("f", 2)

    guest = load(TEXT.replace("NAME", name)).instantiate({"h": again})
    with guest, pytest.raises(Trap, match="cannot enter component instance"):
        guest.call("f", 1)
    assert list(entering) == [1, 2]
