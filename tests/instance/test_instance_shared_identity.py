"""When a resource of the host that two guests have is the same one: classes, factories, and those of WASI.

Spec: SPEC section 14; `Explainer.md` (type checking: resource types are generative).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.instance.sharing_guests import KEEPER, Host, Thing, keeper, user
from wippywasm.errors import LinkError
from wippywasm.wasi import Wasi


@pytest.fixture
def host() -> Host:
    return Host()


def link(load: Any, one: Any, other: Any) -> int:
    """What a user of the one host gets of the keeper of the other."""
    with load(keeper()).instantiate({"host": one}) as keeping:
        result: int = load(user()).instantiate({"host": other, "keeper": keeping}).call("lend", 4)
        return result


class Server:
    """A host that has a factory for its things, of which each look makes another."""

    def thing(self, n: int) -> Thing:
        raise AssertionError

    make = staticmethod(lambda n: Host().cls(n))
    see = staticmethod(lambda thing: thing.n)


def functions(**more: Any) -> dict[str, Any]:
    return {"make": Server.make, "see": Server.see, **more}


def test_a_factory_of_one_host_and_a_host_without_a_class_are_the_same_as_themselves(load: Any) -> None:
    server, bare = Server(), functions()
    assert link(load, server, server) == 8
    assert link(load, bare, bare) == 8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Host().imports, Host().imports),
        (functions(), functions()),
        (functions(thing=None), functions(thing=None)),
        (functions(thing=object), functions(thing=object)),
        (functions(thing=Any), functions(thing=Any)),
        (Server(), Server()),
        (functions(thing=Thing), functions()),
    ],
    ids=["classes", "none", "None", "object", "Any", "factories", "one class"],
)
def test_others_are_refused_with_what_to_do(load: Any, one: Any, other: Any) -> None:
    with pytest.raises(LinkError, match=r"has another resource of that name.*both guests are given one class for it"):
        link(load, one, other)


def test_what_is_denied_is_like_no_other(load: Any, host: Host) -> None:
    denied = load(keeper()).instantiate(undeclared="deny")
    with pytest.raises(LinkError, match="has another resource of that name"):
        load(user()).link({"keeper": denied}, undeclared="deny")
    with pytest.raises(LinkError, match="has another resource of that name"):
        load(user()).link({"keeper": denied, "host": host.imports})


def test_what_python_does_with_a_guests_function_takes_any(load: Any, host: Host) -> None:
    """As the hint says."""
    keeping = load(keeper()).instantiate({"host": host.imports})

    def function(name: str) -> Any:
        return lambda *args: keeping.call(name, *args)

    with load(user()).instantiate({"host": host.imports, "keeper": {n: function(n) for n in KEEPER}}) as guest:
        assert guest.call("lend", 2) == 4
    with pytest.raises(LinkError, match=r"needs func.*and the guest's function is.*with another resource of that name"):
        load(user()).link({"host": Host().imports, "keeper": {n: keeping.func(n) for n in KEEPER}})


TWO_NAMES = """(component
  (import "a" (instance $a (export "thing" (type $r (sub resource)))))
  (alias export $a "thing" (type $r))
  (import "b" (instance (alias outer 1 $r (type $outer)) (export "thing" (type (eq $outer))))))"""


def test_a_further_name_of_a_class_may_be_what_a_guest_has_of_it(load: Any, host: Host) -> None:
    keeping = load(keeper()).instantiate({"host": host.imports})
    for given in (host.imports, {"thing": keeping.exports.Thing}, keeping):
        load(TWO_NAMES).link({"a": host.imports, "b": given})
        load(TWO_NAMES).link({"a": {"thing": keeping.exports.Thing}, "b": given})
    with pytest.raises(LinkError, match="is the resource of import 'a#thing', for which another class is given"):
        load(TWO_NAMES).link({"a": Host().imports, "b": {"thing": keeping.exports.Thing}})


# ---- those of WASI

STREAMS = """
  (import "wasi:io/streams@VERSION" (instance $streams
    (export "input-stream" (type $in (sub resource))) (export "output-stream" (type $out (sub resource)))))
"""
FILES = f"""(component {STREAMS}
  (alias export $streams "input-stream" (type $r))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $r (type $x)) (export "input-stream" (type $y (eq $x)))
    (export "get-stdin" (func (result (own $y))))))
  (core func $get (canon lower (func $stdin "get-stdin")))
  (core module $m (import "" "get" (func $get (result i32))) (func (export "open") (result i32) (call $get)))
  (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
  (func $open (result (own $r)) (canon lift (core func $i "open")))
  (instance $files (export "input-stream" (type $r))
    (export "open" (func $open)) (export "pass" (func $stdin "get-stdin")))
  (export "a:b/files" (instance $files)))"""
READER = f"""(component {STREAMS}
  (alias export $streams "KIND" (type $r))
  (import "a:b/files" (instance $files
    (alias outer 1 $r (type $x)) (export "input-stream" (type $y (eq $x)))
    (export "open" (func (result (own $y)))) (export "pass" (func (result (own $y))))))
  (core func $open (canon lower (func $files "open")))
  (core func $pass (canon lower (func $files "pass")))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "open" (func $open (result i32)))
    (import "" "pass" (func $pass (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "f") (result i32) (call $drop (call $open)) (call $pass)))
  (core instance $i (instantiate $m (with "" (instance
    (export "open" (func $open)) (export "pass" (func $pass)) (export "drop" (func $drop))))))
  (func (export "f") (result (own $r)) (canon lift (core func $i "f"))))"""


def reader(version: str = "0.2.0", kind: str = "input-stream") -> str:
    return READER.replace("VERSION", version).replace("KIND", kind)


@pytest.fixture
def files(load: Any) -> Any:
    with load(FILES.replace("VERSION", "0.2.0")).instantiate(wasi=Wasi(stdin=b"hello")) as guest:
        yield guest.exports["a:b/files"]


@pytest.mark.parametrize("version", ["0.2.0", "0.2.3"])
def test_a_stream_of_wasi_is_one_wherever_it_is_granted(load: Any, files: Any, version: str) -> None:
    with load(reader(version)).instantiate({"a:b/files": files}, wasi=Wasi()) as guest:
        assert guest.call("f").read(9) == b"hello"


def test_one_that_crosses_to_an_interface_that_is_not_granted(load: Any, files: Any) -> None:
    given = {**Wasi().imports(["wasi:cli"]), "a:b/files": files}
    with load(reader()).instantiate(given, undeclared="deny") as guest:
        assert guest.call("f").read(9) == b"hello"


@pytest.mark.parametrize(
    ("source", "imports"),
    [
        (reader(kind="output-stream"), Wasi().imports()),
        (reader("0.3.0"), Wasi().imports()),
        (reader(), {}),
        (reader(), {"wasi:io/streams": {"input-stream": Thing}, **Wasi().imports(["wasi:cli"])}),
    ],
    ids=["another", "another version", "nothing of WASI", "one of the user's"],
)
def test_what_is_none_of_wasis(load: Any, files: Any, source: str, imports: Any) -> None:
    with pytest.raises(LinkError, match=r"has .*resource.* of that name.*or granted its interface"):
        load(source).link({**imports, "a:b/files": files}, undeclared="deny")
