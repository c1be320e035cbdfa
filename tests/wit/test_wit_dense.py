"""Packages in binary form that are one kind of declaration take the room that is charged, and no more than there is."""

from __future__ import annotations

import gc
import json
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.binary.peaks import assert_peak
from tools import dense, dense_wit
from wippywasm.bindgen.sources import read_world
from wippywasm.errors import ValidationError
from wippywasm.wit import decode, json_pieces, to_json


def read(package: bytes) -> None:
    """Decodes it, with all types anew."""
    gc.collect()
    with suppress(ValidationError):
        decode(package)


@pytest.mark.parametrize("kind", dense_wit.PACKAGES)
def test_a_kind_takes_the_room_that_is_charged(kind: str) -> None:
    package = dense_wit.PACKAGES[kind](12_000)
    with dense_wit.unlimited():
        read(package)
        assert dense.Counter.last is not None
        _, room = dense.Counter.last.spent()
        assert_peak(partial(read, package), 200_000 + 2 * len(package) + 1.25 * room)


@pytest.mark.parametrize("kind", ["enums of 1", "instance types", "resources", "named records", "imported interfaces"])
def test_bytes_take_only_so_much_room(kind: str) -> None:
    package = dense_wit.PACKAGES[kind](60_000)
    assert_peak(partial(read, package), 2_000_000 + 46 * len(package))


def test_bindings_of_a_package_take_40_times_the_file(tmp_path: Path) -> None:
    file = tmp_path / "dense.wasm"
    package = dense_wit.PACKAGES["functions with a parameter"](240_000)
    file.write_bytes(package)

    def bind() -> None:
        with suppress(ValidationError):
            read_world(file)

    bind()
    assert_peak(bind, 4_000_000 + 40 * len(package))  # a megabyte of it for Python 3.10


def test_json_of_a_package_takes_40_times_the_file() -> None:
    package = dense_wit.PACKAGES["named records of 100"](240_000)
    decode(package)
    assert_peak(lambda: sum(map(len, json_pieces(decode(package)))), 3_000_000 + 40 * len(package))


def test_pieces_of_json_are_its_text() -> None:
    found = decode(dense_wit.PACKAGES["imported functions"](2_000))
    assert "".join(json_pieces(found)) == json.dumps(to_json(found), indent=2)
