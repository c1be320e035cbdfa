"""Names of WIT and Python, versions, and what grants an import."""

from __future__ import annotations

import pytest

from wippywasm.errors import NotFoundError
from wippywasm.instance.functions import find_key
from wippywasm.instance.grants import grant_for, grants, is_offered
from wippywasm.instance.names import best_match, pascal, snake
from wippywasm.plan.mangle import resource_function


@pytest.mark.parametrize(
    ("wit", "python"),
    [("get-x", "get_x"), ("from", "from_"), ("async", "async_"), ("a", "a"), ("HTTP-get", "HTTP_get")],
)
def test_function_names(wit: str, python: str) -> None:
    assert snake(wit) == python


def test_class_names() -> None:
    assert pascal("output-stream") == "OutputStream"
    assert pascal("blob") == "Blob"


@pytest.mark.parametrize(
    ("wanted", "offered", "found"),
    [
        ("a:b/c@0.2.3", ["a:b/c@0.2.0", "a:b/c@0.2.10", "a:b/c@0.2.9"], "a:b/c@0.2.10"),
        ("a:b/c@0.2.3", ["a:b/c@0.2.10", "a:b/c@0.2.3"], "a:b/c@0.2.3"),
        ("a:b/c@0.2.3", ["a:b/c@0.3.0"], None),
        ("a:b/c@1.2.3", ["a:b/c@1.9.0", "a:b/c@2.0.0"], "a:b/c@1.9.0"),
        ("a:b/c@0.0.1", ["a:b/c@0.0.2"], None),
        ("a:b/c@1.0.0-rc1", ["a:b/c@1.0.0"], None),
        ("a:b/c@0.2", ["a:b/c@0.2.9-rc.1"], "a:b/c@0.2.9-rc.1"),
        ("a:b/c@1", ["a:b/c@1.0.0-a"], "a:b/c@1.0.0-a"),
        ("a:b/c@0.0.1", ["a:b/c@0.0.1-a"], "a:b/c@0.0.1-a"),
        ("a:b/c@1.0.0-a", ["a:b/c@1"], "a:b/c@1"),
        ("a:b/c@1.2.3", ["a:b/c@1"], "a:b/c@1"),
        ("a:b/c@1", ["a:b/c@1.0.0-a", "a:b/c@2.0.0", "a:b/c@0.1.0"], "a:b/c@1.0.0-a"),
        ("a:b/c@0.2", ["a:b/c@0.2.9-rc.1", "a:b/c@0.2.3"], "a:b/c@0.2.3"),
        ("a:b/c@1", ["a:b/c@1.0.0-rc.10", "a:b/c@1.0.0-rc.9", "a:b/c@1.0.0-9"], "a:b/c@1.0.0-rc.10"),
        ("a:b/c@0.2", ["a:b/c@0.3.0-a", "a:b/c@0.2-a"], None),
        ("a:b/c@1.0.0-rc1", ["a:b/c@1.0.0-rc2"], None),
        ("a:b/c@1.0.0", ["a:b/c@1.0.0-rc1", "a:b/c@1.1.0-rc1"], None),
        ("a:b/c@1.0.0", ["a:b/c"], "a:b/c"),
        ("a:b/c", ["a:b/c@1.0.0"], None),
        ("a:b/c@1.0.0", ["a:b/d@1.0.0", "a:b/cc"], None),
    ],
)
def test_the_newest_compatible_version_serves(wanted: str, offered: list[str], found: str | None) -> None:
    assert best_match(wanted, offered) == found


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("[method]blob.read-all", ("method", "blob", "read-all")),
        ("[static]blob.open", ("static", "blob", "open")),
        ("[constructor]blob", ("constructor", "blob", "")),
        ("read", None),
        ("[resource-drop]blob", None),
    ],
)
def test_resource_functions(name: str, parts: tuple[str, str, str] | None) -> None:
    assert resource_function(name) == parts


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("wasi:cli/stdout@0.2.3", "wasi:cli"),
        ("wasi:io/streams@0.2.0", "wasi:io"),
        ("wasi:io/poll@0.2.0", "wasi:poll"),
        ("wasi_snapshot_preview1", "wasi1"),
        ("wippy:runtime/funcs@0.1.0", "funcs"),
        ("acme:things/store@1.0.0", "acme:things/store"),
        ("log", "log"),
    ],
)
def test_every_import_has_an_entry_that_grants_it(name: str, entry: str) -> None:
    assert grant_for(name) == entry
    assert grants(entry, name)


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("wasi:cli/stdout@0.2.3", True),
        ("wasi:cli/stdout", True),
        ("wasi:cli/stdout@0.3.0", False),
        ("wippy:runtime/funcs@0.1.0", True),
        ("wasi_snapshot_preview1", True),
        ("wasi_unstable", False),
        ("wasi:keyvalue/store@0.2.0", False),
        ("acme:things/store@1.0.0", False),
        ("env", False),
        ("wasi:cli/run@0.2.0", False),
        ("wasi:http/incoming-handler@0.2.3", False),
        ("wasi:clocks/sundial@0.2.0", False),
    ],
)
def test_imports_that_this_runtime_has_hosts_for(name: str, offered: bool) -> None:
    assert is_offered(name) == offered


def test_a_near_name_is_said_once() -> None:
    with pytest.raises(NotFoundError) as missing:
        find_key("compote", {"compute": 1})
    assert missing.value.hint == "did you mean 'compute'?"


@pytest.mark.parametrize(
    ("entry", "name", "granted"),
    [
        ("wasi:io", "wasi:io/poll@0.2.3", True),
        ("wasi:poll", "wasi:io/streams@0.2.3", False),
        ("wasi:clocks/monotonic-clock@0.2.3", "wasi:clocks/monotonic-clock@0.2.0", True),
        ("wasi:clocks/monotonic-clock@0.2.3", "wasi:clocks/wall-clock@0.2.3", False),
        ("wasi:clock", "wasi:clocks/wall-clock@0.2.3", False),
        ("preview1", "wasi_snapshot_preview1", True),
        ("wasi:cli", "wasi_snapshot_preview1", False),
    ],
)
def test_an_entry_grants_what_it_names(entry: str, name: str, granted: bool) -> None:
    assert grants(entry, name) is granted


KEYS = dict.fromkeys(("run", "a:b/store@1.2.0#get", "a:b/store@1.2.0#get-all", "c:d/store@0.1.0#get", "e:f/x#go"))
KEYS |= dict.fromkeys(("g:h/two@1.0.0#go", "g:h/two@1.1.0#go", "g:h/two@1.1.0#new"))


@pytest.mark.parametrize(
    ("method", "key"),
    [
        ("run", "run"),
        ("a:b/store@1.2.0#get", "a:b/store@1.2.0#get"),
        ("a:b/store#get", "a:b/store@1.2.0#get"),
        ("a:b/store@1.0.0#get", "a:b/store@1.2.0#get"),
        ("store#get-all", "a:b/store@1.2.0#get-all"),
        ("x#go", "e:f/x#go"),
        ("two@1.0.0#go", "g:h/two@1.0.0#go"),
        ("two@1.1.0#go", "g:h/two@1.1.0#go"),
        ("two#new", "g:h/two@1.1.0#new"),
        ("g:h/two@1.0.0#go", "g:h/two@1.0.0#go"),
    ],
)
def test_short_forms_of_a_method(method: str, key: str) -> None:
    assert find_key(method, KEYS) == key


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("rum", "did you mean 'run'"),
        ("store#get", "could be any of 'a:b/store@1.2.0#get', 'c:d/store@0.1.0#get'"),
        ("two#go", "could be any of 'g:h/two@1.0.0#go', 'g:h/two@1.1.0#go'"),
        ("two@1.2.0#go", "could be any of 'g:h/two@1.0.0#go', 'g:h/two@1.1.0#go'"),
        ("a:b/store@2.0.0#get", "there is no exported function 'a:b/store@2.0.0#get'"),
        ("g:h/two@1.0.0#new", "there is no exported function 'g:h/two@1.0.0#new'"),
        ("get", "there is no exported function 'get'"),
        ("store#gett-all", "did you mean 'store#get-all'"),
        ("#", "there is no exported function '#'"),
    ],
)
def test_a_method_that_is_not_there_is_refused_with_near_names(method: str, message: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        find_key(method, KEYS)
    assert message in str(refused.value)
