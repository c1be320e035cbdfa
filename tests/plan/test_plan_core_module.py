"""Core modules become plans of the same kind as components, or say what is wrong with them."""

from __future__ import annotations

import pytest

from tests.binary.peaks import assert_peak
from tests.steps import steps_of
from wippywasm.binary import core_module
from wippywasm.engine import wat2wasm
from wippywasm.errors import InvalidError, LinkError, ValidationError
from wippywasm.plan import Plan, dump, plan_core_module
from wippywasm.plan.core_module import MOST_IMPORTS
from wippywasm.wit import parse_signatures


def planned(wat: str, wit: str | None = None) -> Plan:
    wasm = wat2wasm(wat)
    return plan_core_module(core_module.parse(wasm), wasm, None if wit is None else parse_signatures(wit))


def section(plan: Plan, name: str) -> list[str]:
    lines = dump(plan).splitlines()
    start = lines.index(name) + 1
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith(" ")), len(lines))
    return [line.strip() for line in lines[start:end]]


def test_plain_numbers_need_no_signatures() -> None:
    plan = planned(
        """(module (memory (export "memory") 1) (global (export "g") i32 (i32.const 1))
             (func (export "add") (param i32 i64) (result f64) f64.const 1)
             (func (export "wide") (result v128) v128.const i32x4 0 0 0 0)
             (func (export "nothing")))"""
    )
    assert section(plan, "lifts") == [
        "l0 = i0.'add' in c0: func(p0: s32, p1: s64) -> f64",
        "l1 = i0.'nothing' in c0: func()",
    ]
    assert section(plan, "exports") == ["'add' = l0", "'nothing' = l1"]


def test_signatures_give_memory_realloc_and_post_return() -> None:
    plan = planned(
        """(module (memory (export "memory") 1)
             (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
             (func (export "greet") (param i32 i32) (result i32) i32.const 0)
             (func (export "cabi_post_greet") (param i32))
             (func (export "_initialize")))""",
        "greet: func(name: string) -> string;",
    )
    assert section(plan, "lifts") == [
        (
            "l0 = i0.'greet' in c0 memory i0.'memory' realloc i0.'cabi_realloc' post-return i0.'cabi_post_greet': "
            "func(name: string) -> string"
        )
    ]
    assert section(plan, "steps")[-1] == "call i0.'_initialize'"


@pytest.mark.parametrize("name", ["realloc", "canonical_abi_realloc"])
def test_older_names_of_the_allocator(name: str) -> None:
    plan = planned(
        f"""(module (memory (export "memory") 1)
             (func (export "{name}") (param i32 i32 i32 i32) (result i32) i32.const 0)
             (func (export "eat") (param i32 i32)))""",
        "eat: func(what: string);",
    )
    assert f"realloc i0.'{name}'" in section(plan, "lifts")[0]


def test_a_core_type_that_does_not_fit_is_named_with_both_types() -> None:
    with pytest.raises(InvalidError) as refused:
        planned(
            '(module (func (export "add") (param i32) (result i32) local.get 0))',
            "add: func(a: s32, b: s64) -> s32;",
        )
    assert str(refused.value) == (
        "export 'add' has the core type (i32) -> i32, but func(a: s32, b: s64) -> s32 needs (i32 i64) -> i32"
    )


def test_missing_exports_are_named_all_at_once_with_near_names() -> None:
    with pytest.raises(InvalidError) as refused:
        planned('(module (func (export "compute")))', "compote: func();\nzzz: func();")
    first, second = str(refused.value).splitlines()
    assert "'compote'" in first
    assert "did you mean 'compute'" in first
    assert "'zzz'" in second
    assert "it exports 'compute'" in second


def test_values_in_memory_need_an_exported_memory() -> None:
    with pytest.raises(InvalidError, match="exports no memory"):
        planned('(module (func (export "eat") (param i32 i32)))', "eat: func(what: string);")


WORLD = """
package a:b@1.0.0;
interface log { write: func(text: string) -> u32; }
interface blobs { resource blob { constructor(n: u32); size: func() -> u32; } take: func(b: blob); }
world w {
  import log;
  import blobs;
  import ping: func() -> u32;
  export blobs;
}
"""

MODULE = """
(module
  (import "a:b/log@1.0.0" "write" (func (param i32 i32) (result i32)))
  (import "$root" "ping" (func (result i32)))
  (import "a:b/blobs@1.0.0" "[constructor]blob" (func (param i32) (result i32)))
  (import "a:b/blobs@1.0.0" "[resource-drop]blob" (func (param i32)))
  (import "[export]a:b/blobs@1.0.0" "[resource-new]blob" (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "a:b/blobs@1.0.0#[constructor]blob") (param i32) (result i32) i32.const 0)
  (func (export "a:b/blobs@1.0.0#[method]blob.size") (param i32) (result i32) i32.const 0)
  (func (export "a:b/blobs@1.0.0#take") (param i32))
  (func (export "a:b/blobs@1.0.0#[dtor]blob") (param i32)))
"""


def test_a_world_gives_imports_resources_and_interfaces() -> None:
    plan = planned(MODULE, WORLD)
    assert section(plan, "imports") == [
        "r0 = 'a:b/blobs@1.0.0' 'blob': resource",
        "f0 = 'a:b/log@1.0.0' 'write': func(text: string) -> u32",
        "f1 = 'ping': func() -> u32",
        "f2 = 'a:b/blobs@1.0.0' '[constructor]blob': func(n: u32) -> own<blob>",
        "x0 = 'wasi_snapshot_preview1' 'proc_exit': core (i32) -> ()",
    ]
    assert section(plan, "steps") == [
        "c0 = component instance",
        "r1 = resource of c0, dtor i0.'a:b/blobs@1.0.0#[dtor]blob'",
        "t0 = lower f0 in c0 memory i0.'memory': (i32 i32) -> i32",
        "t1 = lower f1 in c0: () -> i32",
        "t2 = lower f2 in c0: (i32) -> i32",
        "t3 = resource.drop r0 in c0",
        "t4 = resource.new r1 in c0",
        "t5 = x0",
        (
            "i0 = instantiate m0('a:b/log@1.0.0' 'write' = t0, '$root' 'ping' = t1, "
            "'a:b/blobs@1.0.0' '[constructor]blob' = t2, 'a:b/blobs@1.0.0' '[resource-drop]blob' = t3, "
            "'[export]a:b/blobs@1.0.0' '[resource-new]blob' = t4, 'wasi_snapshot_preview1' 'proc_exit' = t5)"
        ),
    ]
    assert section(plan, "exports")[0] == "'a:b/blobs@1.0.0' = instance"
    assert "'blob' = r1" in section(plan, "exports")
    assert plan.imports == ("a:b/blobs@1.0.0", "a:b/log@1.0.0", "ping", "wasi_snapshot_preview1")


def test_an_import_of_a_memory_can_not_be_supplied() -> None:
    with pytest.raises(LinkError, match="imports a memory 'env' 'mem'; only functions"):
        planned('(module (import "env" "mem" (memory 1)))')


def test_an_import_with_another_core_type_is_refused() -> None:
    with pytest.raises(InvalidError, match=r"import '\$root' 'ping' has the core type \(\) -> i64"):
        planned('(module (import "$root" "ping" (func (result i64))))', "import ping: func() -> u32;")


STORE = '(memory (export "memory") 1)'
REALLOC = '(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)'
EAT = '(func (export "eat") (param i32 i32))'


@pytest.mark.parametrize(
    ("parts", "wit", "said"),
    [
        (EAT, "eat: func(what: string);", "exports no memory, nor a cabi_realloc of type (i32 i32 i32 i32) -> i32"),
        (STORE + EAT, "eat: func(what: string);", "the module exports none: export a cabi_realloc of type"),
        (
            STORE + EAT + '(func (export "cabi_realloc") (param i32) (result i32) i32.const 0)',
            "eat: func(what: string);",
            "its 'cabi_realloc' is a function (i32) -> i32: export a cabi_realloc of type (i32 i32 i32 i32) -> i32",
        ),
        (
            STORE + EAT + '(global (export "cabi_realloc") i32 (i32.const 1))',
            "eat: func(what: list<u8>);",
            "its 'cabi_realloc' is a global: export a cabi_realloc",
        ),
        (
            STORE + '(import "$root" "name" (func (param i32))) (func (export "eat"))',
            "package a:b; world w { import name: func() -> string; export eat: func(); }",
            "import '$root' 'name': func() -> string needs an allocator",
        ),
        (
            STORE + '(func (export "name") (result i32) i32.const 0) (func (export "cabi_post_name") (param i64))',
            "name: func() -> string;",
            "export 'cabi_post_name' is a function (i64) -> (), but it must be a function (i32) -> ()",
        ),
        (
            '(func (export "f")) (func (export "_initialize") (param i32))',
            "f: func();",
            "export '_initialize' is a function (i32) -> (), but it must be a function () -> ()",
        ),
        ('(func (export "f")) (memory (export "_initialize") 1)', None, "export '_initialize' is a memory"),
    ],
)
def test_what_the_runtime_calls_itself_must_be_there_with_its_type(parts: str, wit: str | None, said: str) -> None:
    imports = parts.index("(import") if "(import" in parts else 0
    with pytest.raises(InvalidError) as refused:
        planned(f"(module {parts[imports:]} {parts[:imports]})", wit)
    assert said in str(refused.value)


def test_an_allocator_is_asked_for_only_where_values_need_one() -> None:
    assert planned(f"(module {STORE} {EAT.replace('i32 i32', 'i32')})", "eat: func(what: u32);").lifts
    returns = '(func (export "name") (result i32) i32.const 0)'
    assert planned(f"(module {STORE} {returns})", "name: func() -> string;").lifts


def test_a_c_function_called_realloc_is_no_allocator() -> None:
    c_realloc = '(func (export "realloc") (param i32 i32) (result i32) i32.const 0)'
    plan = planned(f"(module {STORE} {c_realloc} {EAT} {REALLOC})", "eat: func(what: string);")
    assert "realloc i0.'cabi_realloc'" in section(plan, "lifts")[0]
    with pytest.raises(InvalidError, match="exports none"):
        planned(f"(module {STORE} {c_realloc} {EAT})", "eat: func(what: string);")


@pytest.mark.parametrize(
    ("wit", "core", "said"),
    [
        ("record r {} f: func(a: r);", "", "export 'f': parameter 'a' has in it a record without fields"),
        ("f: func(a: tuple<>) -> u32;", "(result i32) i32.const 0", "parameter 'a' has in it a tuple without items"),
        ("f: func(a: list<option<tuple<>>>);", "(param i32 i32)", "a tuple without items"),
        ("f: func() -> result<tuple<>>;", "(result i32) i32.const 0", "the result has in it a tuple without items"),
        ("flags g {} f: func(a: g);", "(param i32)", "flags without names"),
        ("f: func(a: list<u8, 0>);", "", "a list of fixed length 0"),
    ],
)
def test_types_that_no_component_can_have_are_refused_by_name(wit: str, core: str, said: str) -> None:
    with pytest.raises(InvalidError) as refused:
        planned(f'(module {STORE} {REALLOC} (func (export "f") {core}))', wit)
    assert said in str(refused.value)


def test_functions_that_can_not_be_called_are_kept_with_the_reason() -> None:
    functions = """(func (export "wide") (result v128) v128.const i32x4 0 0 0 0)
      (func (export "two") (result i32 i32) i32.const 1 i32.const 2) (func (export "one"))"""
    reasons = planned(f"(module {functions})").uncallable
    assert reasons["wide"] == "its core type is () -> v128: values of type v128 have no form outside of core wasm"
    assert reasons["two"].endswith("a function has at most one result, and this one has 2")
    assert set(planned(f"(module {functions})", "one: func();").uncallable) == {"wide", "two"}


def test_the_imports_of_a_module_are_planned_for_little_each() -> None:
    info, wasm = _of_imports(MOST_IMPORTS)
    assert_peak(lambda: plan_core_module(info, wasm), 420 * MOST_IMPORTS)
    info, wasm = _of_imports(200)
    assert steps_of(lambda: plan_core_module(info, wasm)) < 250 * 200


def test_a_module_has_no_more_imports_than_any_host_supplies() -> None:
    info, wasm = _of_imports(MOST_IMPORTS + 1)
    with pytest.raises(ValidationError, match="the module has 12,001 imports, and may have 12,000"):
        plan_core_module(info, wasm)


def _of_imports(count: int) -> tuple[core_module.CoreModuleInfo, bytes]:
    imports = "".join([f'(import "m{n}" "f" (func))' for n in range(count)])
    wasm = wat2wasm(f"(module {imports})")
    return core_module.parse(wasm), wasm
