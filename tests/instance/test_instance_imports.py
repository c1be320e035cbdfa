"""Imports from Python: where functions are found, what is checked at link time, and what becomes of the rest."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from wippywasm.errors import InvalidError, LinkError, PermissionDeniedError, Trap, ValueMismatchError, WitError
from wippywasm.instance.limits import Limits
from wippywasm.values import Err, Ok

CLIENT = """
(component
  (import "a:b/host@0.2.3" (instance $host
    (export "add-one" (func (param "n" u32) (result u32)))
    (export "try-it" (func (param "n" u32) (result (result u32 (error u32)))))))
  (import "shout" (func $shout (param "n" u32)))
  (core module $mem (memory (export "m") 1))
  (core instance $mem (instantiate $mem))
  (alias core export $mem "m" (core memory $memory))
  (core func $add-one (canon lower (func $host "add-one")))
  (core func $try-it (canon lower (func $host "try-it") (memory $memory)))
  (core func $shout (canon lower (func $shout)))
  (core module $m
    (import "h" "add-one" (func $add-one (param i32) (result i32)))
    (import "h" "try-it" (func $try-it (param i32 i32)))
    (import "h" "shout" (func $shout (param i32)))
    (import "h" "m" (memory 1))
    (func (export "run") (param i32) (result i32) (call $shout (local.get 0)) (call $add-one (local.get 0)))
    (func (export "try") (param i32) (result i32)
      (call $try-it (local.get 0) (i32.const 16))
      (i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 1000)) (i32.load (i32.const 20)))))
  (core instance $i (instantiate $m (with "h" (instance
    (export "add-one" (func $add-one)) (export "try-it" (func $try-it)) (export "shout" (func $shout))
    (export "m" (memory $memory))))))
  (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run")))
  (func (export "try") (param "n" u32) (result u32) (canon lift (core func $i "try"))))
"""


def refuse_odd(n: int) -> Any:
    if n % 2:
        raise WitError(n)
    return n // 2


def as_module(**functions: Any) -> ModuleType:
    module = ModuleType("host")
    vars(module).update(functions)
    return module


HEARD: list[int] = []


def ignore(n: int) -> None:
    HEARD.append(n)


PROVIDERS = {
    "mapping with WIT names": {"add-one": lambda n: n + 1, "try-it": refuse_odd},
    "mapping with Python names": {"add_one": lambda n: n + 1, "try_it": refuse_odd},
    "object": SimpleNamespace(add_one=lambda n: n + 1, try_it=refuse_odd),
    "module": as_module(add_one=lambda n: n + 1, try_it=refuse_odd),
}


@pytest.mark.parametrize("kind", PROVIDERS)
@pytest.mark.parametrize("name", ["a:b/host@0.2.3", "a:b/host@0.2.9", "a:b/host"])
def test_where_functions_are_found(load: Any, kind: str, name: str) -> None:
    HEARD.clear()
    with load(CLIENT).instantiate({name: PROVIDERS[kind], "shout": ignore}) as guest:
        assert guest.call("run", 4) == 5
        assert guest.call("try", 8) == 4
        assert guest.call("try", 7) == 1007
    assert HEARD == [4]


def test_ok_and_err_can_be_returned_as_they_are(load: Any) -> None:
    host = {"add-one": lambda n: n, "try-it": lambda n: Err(n) if n % 2 else Ok(n * 10)}
    with load(CLIENT).instantiate({"a:b/host": host, "shout": ignore}) as guest:
        assert [guest.call("try", 3), guest.call("try", 4)] == [1003, 40]


def test_the_newest_compatible_version_is_chosen(load: Any) -> None:
    def host(by: int) -> dict[str, Any]:
        return {"add_one": lambda n: n + by, "try_it": refuse_odd}

    imports = {"a:b/host@0.2.4": host(4), "a:b/host@0.2.30": host(30), "a:b/host@0.3.0": host(3), "shout": ignore}
    with load(CLIENT).instantiate(imports) as guest:
        assert guest.call("run", 100) == 130


@pytest.mark.parametrize("given", ["t:p/i@0.2.9-rc.1", "t:p/i@0.2.3", "t:p/i@0.2", "t:p/i"])
def test_a_canonical_version_is_met_by_what_has_it(load: Any, given: str) -> None:
    component = load(
        """(component
          (import "t:p/i@0.2" (versionsuffix ".9-rc.1") (instance $i (export "f" (func (result u32)))))
          (export "f" (func $i "f")))"""
    )
    with component.instantiate({given: {"f": lambda: 3}}) as guest:
        assert guest.call("f") == 3
    with pytest.raises(LinkError, match=r"nothing is given for import 't:p/i@0\.2#f'"):
        component.instantiate({"t:p/i@0.3.0": {"f": lambda: 3}})


@pytest.mark.parametrize(
    ("imports", "message"),
    [
        ({}, "nothing is given for import 'a:b/host@0.2.3#add-one'"),
        ({"a:b/host@0.3.0": PROVIDERS["object"]}, "nothing is given for import 'a:b/host@0.2.3#add-one'"),
        ({"a:b/hots@0.2.3": PROVIDERS["object"]}, "did you mean 'a:b/hots@0.2.3'"),
        ({"a:b/host": SimpleNamespace(add_one=abs)}, "SimpleNamespace has no 'try_it'"),
        ({"a:b/host": {"add-one": 5}}, "import 'a:b/host@0.2.3#add-one' must be callable, got an int"),
        (
            {"a:b/host": {"add-one": lambda: 5}},
            r"add-one' is called with 1 argument, as func\(n: u32\) -> u32; the function given takes \(\)",
        ),
        ({"a:b/host": PROVIDERS["object"]}, "nothing is given for import 'shout'"),
    ],
)
def test_what_does_not_fit_is_an_error_of_linking(load: Any, imports: Any, message: str) -> None:
    with pytest.raises(LinkError, match=message):
        load(CLIENT).instantiate(imports)


@pytest.mark.parametrize(
    ("function", "accepted"),
    [
        (lambda n: n, True),
        (lambda *args: args[0], True),
        (lambda n, m=0: n, True),
        (lambda n, *, m: n, False),
        (lambda n, m: n, False),
        (abs, True),
        (int.bit_length, True),
        (SimpleNamespace, True),
    ],
)
def test_how_many_arguments_a_function_takes(load: Any, function: Any, accepted: bool) -> None:
    imports = {"a:b/host": {"add-one": function, "try-it": refuse_odd}, "shout": ignore}
    if accepted:
        load(CLIENT).link(imports)
    else:
        with pytest.raises(LinkError):
            load(CLIENT).link(imports)


def test_a_host_result_that_does_not_fit_names_the_import(load: Any) -> None:
    host = {"add-one": lambda n: "five", "try-it": refuse_odd}
    with (
        load(CLIENT).instantiate({"a:b/host": host, "shout": ignore}) as guest,
        pytest.raises(ValueMismatchError, match="expected u32, got 'five'"),
    ):
        guest.call("run", 1)


def test_undeclared_imports_are_denied_when_they_are_called(load: Any) -> None:
    with (
        load(CLIENT).instantiate({"shout": ignore}, undeclared="deny") as guest,
        pytest.raises(PermissionDeniedError) as denied,
    ):
        guest.call("run", 1)
    assert "a:b/host@0.2.3#add-one" in str(denied.value)
    assert denied.value.details == {"import": "a:b/host@0.2.3"}
    assert "no host of this runtime offers it" in str(denied.value)


@pytest.mark.parametrize("module", ["env", "$root"])
def test_what_no_entry_can_grant_is_not_to_be_declared(module: str, load: Any) -> None:
    wit = "package a:b; world w { import now: func() -> u32; export f: func() -> u32; }"
    source = f'(module (import "{module}" "now" (func $now (result i32))) (func (export "f") (result i32) (call $now)))'
    with (
        load(source, wit=wit).instantiate(undeclared="deny") as guest,
        pytest.raises(PermissionDeniedError, match="supply it with imports=") as denied,
    ):
        guest.call("f")
    assert "declare" not in str(denied.value)


WASI = """
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:filesystem/types@0.2.0" (instance $fs
    (alias outer 1 $error (type $error))
    (export "descriptor" (type $descriptor (sub resource)))
    (export "[method]descriptor.sync" (func (param "self" (borrow $descriptor))))
    (export "explain" (func (param "e" (borrow $error)) (result u32)))))
  (alias export $fs "descriptor" (type $descriptor))
  (core func $sync (canon lower (func $fs "[method]descriptor.sync")))
  (core func $drop (canon resource.drop $descriptor))
  (core module $m
    (import "fs" "sync" (func $sync (param i32)))
    (import "fs" "drop" (func $drop (param i32)))
    (func (export "quiet") (result i32) (i32.const 42))
    (func (export "sync") (call $sync (i32.const 1)))
    (func (export "drop") (call $drop (i32.const 1))))
  (core instance $i (instantiate $m (with "fs" (instance (export "sync" (func $sync)) (export "drop" (func $drop))))))
  (func (export "quiet") (result u32) (canon lift (core func $i "quiet")))
  (func (export "sync") (canon lift (core func $i "sync")))
  (func (export "drop") (canon lift (core func $i "drop"))))
"""


def test_denied_interfaces_have_abstract_resources(load: Any) -> None:
    component = load(WASI)
    assert component.imports == ("wasi:io/error@0.2.0", "wasi:filesystem/types@0.2.0")
    with component.instantiate(undeclared="deny") as guest:
        assert guest.call("quiet") == 42
        with pytest.raises(PermissionDeniedError, match=r"declare 'wasi:filesystem' under `imports`"):
            guest.call("sync")
    with component.instantiate(undeclared="deny") as guest, pytest.raises(Trap, match="unknown handle index 1"):
        guest.call("drop")


def test_undeclared_is_refuse_or_deny(load: Any) -> None:
    with pytest.raises(InvalidError, match="'refuse' or 'deny'"):
        load(CLIENT).instantiate(undeclared="allow")


PREVIEW_1 = """
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "hi")
  (func (export "leave") (call $exit (i32.const 8)))
  (func (export "answer") (result i32) (i32.const 42)))
"""


def test_core_imports_are_denied_with_their_grant(load: Any) -> None:
    with load(PREVIEW_1).instantiate(undeclared="deny") as guest:
        assert guest.call("answer") == 42
        with pytest.raises(PermissionDeniedError, match=r"wasi_snapshot_preview1#proc_exit.*'wasi1'"):
            guest.call("leave")


def test_core_imports_refused(load: Any) -> None:
    with pytest.raises(LinkError, match="nothing is given for import 'wasi_snapshot_preview1#proc_exit'"):
        load(PREVIEW_1).instantiate()


def test_core_functions_from_python(load: Any) -> None:
    codes: list[int] = []
    with load(PREVIEW_1).instantiate({"wasi_snapshot_preview1": {"proc_exit": codes.append}}) as guest:
        guest.call("leave")
    assert codes == [8]


CORE = """
(module
  (import "host" "one" (func $one (result i32)))
  (import "host" "two" (func $two (result i64 f32)))
  (import "host" "none" (func $none))
  (func (export "one") (result i32) (call $one))
  (func (export "two") (result i64) (call $two) (drop))
  (func (export "none") (call $none)))
"""
CORE_WIT = "one: func() -> s32; two: func() -> s64; none: func();"


SMALLEST = -(1 << 31)


@pytest.mark.parametrize(
    ("value", "one"), [(-1, -1), (7, 7), (True, 1), (1 << 31, SMALLEST), ((1 << 32) - 1, -1), (SMALLEST, SMALLEST)]
)
def test_what_python_gives_for_core_results(load: Any, value: int, one: int) -> None:
    async def later() -> int:
        return value

    for function in (lambda: value, later):
        host = {"one": function, "two": lambda: [value, 1], "none": lambda: value}
        with load(CORE, wit=CORE_WIT).instantiate({"host": host}) as guest:
            assert (guest.call("one"), guest.call("two"), guest.call("none")) == (one, value, None)


@pytest.mark.parametrize("value", [None, "a", [1], (1,), b"a", {}, 1.5, 1 << 32, SMALLEST - 1, 1 << 2000, object()])
def test_what_python_can_not_give_for_core_results(load: Any, value: Any) -> None:
    async def later() -> Any:
        return value

    for function in (lambda: value, later):
        host = {"one": function, "two": lambda: (1, value), "none": function}
        component = load(CORE, wit=CORE_WIT)
        with pytest.raises(ValueMismatchError, match="result of host#one: expected i32, got "):
            component.instantiate({"host": host}).call("one")
        if not isinstance(value, int | float):
            with pytest.raises(ValueMismatchError, match=r"result of host#two\[1\]: expected f32, got "):
                component.instantiate({"host": host}).call("two")
        host["two"] = function
        with pytest.raises(ValueMismatchError, match="result of host#two: expected a tuple of 2 values, got "):
            component.instantiate({"host": host}).call("two")


class Preview1:
    """A host that reads the memory of the guest it was made for."""

    def __init__(self) -> None:
        self.read: list[bytes] = []

    def link_core(self, context: Any) -> dict[str, Any]:
        def proc_exit(pointer: int) -> None:
            self.read.append(bytes(context.memory().view()[pointer : pointer + 2]))

        return {"proc_exit": proc_exit}


def test_a_core_host_sees_the_memory_of_its_guest(load: Any) -> None:
    host = Preview1()
    with load(PREVIEW_1).instantiate({"wasi_snapshot_preview1": host}) as guest:
        guest.call("leave")
    assert host.read == [b"hi"]


def test_limits(load: Any) -> None:
    component = load("(component (core module $m) (core instance (instantiate $m)) (core instance (instantiate $m)))")
    component.instantiate(limits=Limits(max_instances=2)).close()
    with pytest.raises(InvalidError, match="starts with 2 core instances, more than its limit max_instances = 1"):
        component.instantiate(limits=Limits(max_instances=1))
    with pytest.raises(InvalidError, match="max_memory_mb must be a whole number"):
        Limits(max_memory_mb=0)
    with pytest.raises(InvalidError, match="max_instances must be a whole number"):
        Limits(max_instances=True)


def test_instances_of_ours_do_not_count(load: Any) -> None:
    """Lists of strings are allocated by an instance for each `realloc`."""
    realloc = '(func (export "r%d") (param i32 i32 i32 i32) (result i32) (i32.const 1024))'
    lift = """(func (export "f%d") (param "x" (list string)) (result u32)
      (canon lift (core func $i "count") (memory (core memory $i "m")) (realloc (core func $i "r%d"))))"""
    component = load(
        f"""(component (core module $m (memory (export "m") 1) {"".join(realloc % k for k in range(4))}
          (func (export "count") (param i32 i32) (result i32) (local.get 1)))
        (core instance $i (instantiate $m)) {"".join(lift % (k, k) for k in range(4))})"""
    )
    with component.instantiate(limits=Limits(max_instances=1)) as guest:
        assert [guest.call(f"f{k}", ["text"] * 9) for k in range(4)] == [9] * 4


def test_limits_that_can_not_hold_the_guest_are_known_before_it_is_made(load: Any) -> None:
    module = load("(module (memory 32) (table 10 funcref) (table 5 funcref))")
    module.check_limits(Limits(max_memory_mb=2, max_table_elements=15, max_instances=1))
    with pytest.raises(InvalidError) as refused:
        module.check_limits(Limits(max_memory_mb=1, max_table_elements=14))
    assert "2 MiB of memory, more than its limit max_memory_mb = 1" in refused.value.message
    assert "15 table elements, more than its limit max_table_elements = 14" in refused.value.message


def test_a_memory_that_modules_share_counts_once(load: Any) -> None:
    shared = load(
        """(component
          (core module $a (memory (export "m") 16))
          (core module $b (import "a" "m" (memory 1)))
          (core instance $i (instantiate $a))
          (core instance (instantiate $b (with "a" (instance $i)))))"""
    )
    shared.instantiate(limits=Limits(max_memory_mb=1)).close()


def test_the_memory_limit_holds(load: Any) -> None:
    module = load('(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))')
    with module.instantiate(limits=Limits(max_memory_mb=1)) as guest:
        assert guest.call("grow", 10) == 1
        assert guest.call("grow", 100) == -1
