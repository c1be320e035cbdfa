"""Packages in binary form that are one kind of declaration take the room that is charged, and no more than there is."""

from __future__ import annotations

import pytest

from tools import dense_wit
from tools.dense import peak_of
from wippywasm.wit import decode


@pytest.mark.parametrize("kind", dense_wit.PACKAGES)
def test_a_kind_takes_the_room_that_is_charged(kind: str) -> None:
    package = dense_wit.PACKAGES[kind](12_000)
    with dense_wit.unlimited():
        peak = peak_of(package, decode)
    assert dense_wit.Counter.last is not None
    _, room = dense_wit.Counter.last.spent()
    assert peak < 200_000 + 2 * len(package) + 1.25 * room


@pytest.mark.parametrize("kind", ["enums of 1", "instance types", "resources", "named records", "imported interfaces"])
def test_bytes_take_only_so_much_room(kind: str) -> None:
    package = dense_wit.PACKAGES[kind](60_000)
    assert peak_of(package, decode) < 2_000_000 + 46 * len(package)
