"""Text → bytes for the tests of this room, and errors by their text."""

from __future__ import annotations

import pytest

from wippywasm.binary import decode
from wippywasm.binary.component import Component, Definition
from wippywasm.binary.features import DEFAULT, Features
from wippywasm.engine import wat2wasm
from wippywasm.errors import ValidationError


def component(text: str) -> Component:
    """The component with these definitions."""
    return decode(wat2wasm(f"(component {text})"))


def nested(definition: Definition) -> Component:
    """The component that a definition nests."""
    inner = getattr(definition, "component", None)
    assert isinstance(inner, Component)
    return inner


def refused(text: str, message: str, features: Features = DEFAULT) -> ValidationError:
    """The error for a component with these definitions, which must say `message` and where."""
    wasm = wat2wasm(f"(component {text})")
    with pytest.raises(ValidationError) as caught:
        decode(wasm, features=features)
    assert message in caught.value.message
    assert 0 < caught.value.offset <= len(wasm)
    return caught.value


LIFTED = """
  (import "log" (func $log (param "text" string)))
  (core module $libc (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $libc (instantiate $libc))
  (core func $log' (canon lower (func $log) (memory (core memory $libc "mem"))))
  (core module $main (import "" "log" (func (param i32 i32)))
    (func (export "run") (param i32) (result i32) unreachable) (func (export "post") (param i32)))
  (core instance $main (instantiate $main (with "" (instance (export "log" (func $log'))))))
  (func (export "run") (param "n" u32) (result string)
    (canon lift (core func $main "run") string-encoding=utf16 (memory (core memory $libc "mem"))
      (realloc (core func $libc "realloc")) (post-return (core func $main "post"))))
"""
