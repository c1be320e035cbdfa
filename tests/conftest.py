"""What every room's tests share: the `engine` fixture, once for each engine, and what keeps one test from the next."""

from __future__ import annotations

import gc
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from wippywasm import engine as engines
from wippywasm.cli.logs import ROOT
from wippywasm.engine.port import Engine, Store

settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
"""How long a machine takes says nothing about what is tested."""
settings.register_profile("fixed", settings(), derandomize=True)
"""The same values in every run (`--hypothesis-profile=fixed`)."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
"""Programs that tests start would ignore it too, where a shell started these in the background."""


@pytest.fixture(scope="session", autouse=True)
def compile_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tests neither read nor fill the user's cache."""
    directory = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WIPPYWASM_CACHE_DIR", str(directory))
        patch.delenv("WIPPYWASM_CACHE", raising=False)
        yield directory


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Takes away the logging that a command set up in this process."""
    yield
    logging.captureWarnings(False)
    logging.getLogger(ROOT).setLevel(logging.NOTSET)
    everyone = logging.getLogger()
    for handler in [one for one in everyone.handlers if one.name == ROOT]:
        everyone.removeHandler(handler)


@pytest.fixture(scope="module", autouse=True)
def only_new_garbage() -> None:
    """Collections look at what the tests of a file make: at all that is there before, each takes up to seconds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def only_new_modules() -> None:
    """wasmer looks for an overflow's frames in all that a thread has loaded, gone or not: that takes up to seconds."""
    if sys.version_info < (3, 11):
        from wippywasm.engine.wasmer_loading import forget_native_store

        forget_native_store()


@pytest.fixture(params=["wasmtime", "wasmer"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine in turn. Only wasmer may be missing, and only where it can't be: CPython 3.11 and later."""
    name: str = request.param
    if name == "wasmer" and sys.version_info >= (3, 11):
        pytest.skip("wasmer runs on CPython before 3.11 only")
    return engines.get(name)


@pytest.fixture
def store(engine: Engine) -> Iterator[Store]:
    """A store of `engine`, closed after the test."""
    opened = engine.new_store()
    yield opened
    opened.close()
