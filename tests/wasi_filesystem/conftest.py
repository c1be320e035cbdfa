"""A world for each kind of mount; whatever a test does, what lies outside of the mount is the same afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wasi_filesystem.worlds import World, make_world, snapshot
from wippywasm.wasi.filesystem.descriptor import Descriptor


@pytest.fixture(params=["folder", "memory"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A mount that may be written, on disk and in memory."""
    yield from _watched(make_world(tmp_path, request.param))


@pytest.fixture
def root(world: World) -> Descriptor:
    """A guest's descriptor of the mount."""
    return Descriptor(world.root)


@pytest.fixture(params=["folder", "memory"])
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A read-only mount, on disk and in memory."""
    yield from _watched(make_world(tmp_path, request.param, read_only=True))


@pytest.fixture
def folder_world(tmp_path: Path) -> Iterator[World]:
    """A mount of a folder, for what only an operating system has."""
    yield from _watched(make_world(tmp_path, "folder"))


def _watched(world: World) -> Iterator[World]:
    before = snapshot(world.outside)
    yield world
    world.root.close()
    world.mounts.close()
    assert snapshot(world.outside) == before
