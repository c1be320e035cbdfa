"""Small components that name as much as two to the power of their levels: `python -m tools.bombs [LEVEL…]`.

In: a shape and a number of levels, each of which holds the one before twice. Out: the text of a component, for tests
and for the fuzzer to start from; run by itself, what decoding and planning take of each.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from wippywasm import binary  # noqa: E402
from wippywasm.engine import wat2wasm  # noqa: E402
from wippywasm.errors import WippyError  # noqa: E402
from wippywasm.plan import plan_component  # noqa: E402

Shape = Callable[[int], str]

# ---- what stands at the bottom: in an instance type, and the instance `$b0` of it -----------------------------------

EMPTY = ""
FUNC = '(export "f" (func (param "x" u8)))'
RECORD = '(type $t (record (field "x" u8))) (export "t" (type (eq $t)))'
RESOURCE = '(export "r" (type (sub resource)))'
METHOD = '(export "r" (type $r (sub resource))) (export "f" (func (param "x" (borrow $r))))'
BASES = {"empty": EMPTY, "func": FUNC, "record": RECORD, "resource": RESOURCE, "method": METHOD}

OF_NOTHING = "(instance $b0)"
OF_FUNC = '(import "f" (func $f (param "x" u8))) (instance $b0 (export "f" (func $f)))'
OF_RESOURCE = '(type $r (resource (rep i32))) (instance $b0 (export "r" (type $r)))'
OF_IMPORTED = '(import "r" (type $r (sub resource))) (instance $b0 (export "r" (type $r)))'
OF_METHOD = """(import "r" (type $r (sub resource))) (import "f" (func $f (param "x" (borrow $r))))
    (instance $b0 (export "r" (type $r)) (export "f" (func $f)))"""

DEFINED = '(type $r (resource (rep i32))) (export "r" (type $r))'
LIFTED = """(core module $m (func (export "f"))) (core instance $m (instantiate $m))
    (func (export "f") (canon lift (core func $m "f")))"""
TYPE_IMPORT = '(import "t" (type (sub resource)))'
TYPE_EXPORT = '(export "t" (type (sub resource)))'


def component(*parts: str) -> str:
    return f"(component {' '.join(parts)})"


# ---- types ----------------------------------------------------------------------------------------------------------


def types(levels: int, base: str, prefix: str = "i") -> str:
    """Instance types `$i0`…, each with two instances of the one before."""
    twice = '(export "a" (instance (type $p))) (export "b" (instance (type $p)))'
    text = f"(type ${prefix}0 (instance {base}))"
    for i in range(1, levels):
        text += f"(type ${prefix}{i} (instance (alias outer 1 ${prefix}{i - 1} (type $p)) {twice}))"
    return text


def component_types(levels: int, base: str, sides: tuple[str, str], prefix: str = "c") -> str:
    """Component types `$c0`… that import or export the one before, twice."""
    text = f"(type ${prefix}0 (component {base}))"
    for i in range(1, levels):
        parts = f'({sides[0]} "a" (component (type $p))) ({sides[1]} "b" (component (type $p)))'
        text += f"(type ${prefix}{i} (component (alias outer 1 ${prefix}{i - 1} (type $p)) {parts}))"
    return text


def component_types_with_instances(levels: int, base: str, side: str, prefix: str) -> str:
    """The same by way of instances that have a resource of their own."""
    text = f"(type ${prefix}0 (component {base}))"
    for i in range(1, levels):
        text += f"""(type ${prefix}{i} (component (alias outer 1 ${prefix}{i - 1} (type $p))
            (type $s (instance (alias outer 1 $p (type $q)) {RESOURCE}
                (export "c" (component (type $q))) (export "d" (component (type $q)))))
            ({side} "a" (instance (type $s))) ({side} "b" (instance (type $s)))))"""
    return text


def imported(base: str, times: int, levels: int) -> str:
    imports = "".join(f'(import "z{i}" (instance (type $i{levels - 1})))' for i in range(times))
    return component(types(levels, base), imports)


def imported_each(base: str, levels: int) -> str:
    imports = "".join(f'(import "z{i}" (instance (type $i{i})))' for i in range(levels))
    return component(types(levels, base), imports)


def values(step: str, levels: int) -> str:
    text = '(import "r" (type $r (sub resource))) (type $v0 (own $r))'
    for i in range(1, levels):
        text += f"(type $v{i} {step.replace('$p', f'$v{i - 1}')})"
    return component(text, f'(import "f" (func (param "x" $v{levels - 1})))')


def variants(levels: int) -> str:
    text = "(type $v0 (list u8))"
    for i in range(1, levels):
        text += f"""(type $w{i} (variant (case "a" $v{i - 1}) (case "b" $v{i - 1})))
            (export $v{i} "v{i}" (type $w{i}))"""
    return component(text)


def core_types(levels: int) -> str:
    text = "(core type $t0 (struct))"
    for i in range(1, levels):
        text += f"(core type $t{i} (struct (field (ref $t{i - 1})) (field (ref $t{i - 1}))))"
    return component(text)


# ---- instances ------------------------------------------------------------------------------------------------------


def bags(levels: int, first: str) -> str:
    """Instances `$b1`… that hold the one before twice; `first` defines `$b0`."""
    text = first
    for i in range(1, levels):
        text += f'(instance $b{i} (export "a" (instance $b{i - 1})) (export "b" (instance $b{i - 1})))'
    return text


def bags_exported(first: str, levels: int) -> str:
    return component(bags(levels, first), f'(export "z" (instance $b{levels - 1}))')


def bags_of_aliases(levels: int) -> str:
    text = OF_NOTHING
    for i in range(1, levels):
        text += f"""(instance $d{i} (export "a" (instance $b{i - 1})) (export "b" (instance $b{i - 1})))
            (alias export $d{i} "a" (instance $l{i})) (alias export $d{i} "b" (instance $m{i}))
            (instance $b{i} (export "a" (instance $l{i})) (export "b" (instance $m{i})))"""
    return component(text, f'(export "z" (instance $b{levels - 1}))')


def exports_of_exports(first: str, levels: int) -> str:
    text = f'{first} (export $e0 "e0" (instance $b0))'
    for i in range(1, levels):
        text += f"""(instance $b{i} (export "a" (instance $e{i - 1})) (export "b" (instance $e{i - 1})))
            (export $e{i} "e{i}" (instance $b{i}))"""
    return component(text)


def ascribed(base: str, first: str, levels: int) -> str:
    last = f'(export "z" (instance $b{levels - 1}) (instance (type $i{levels - 1})))'
    return component(types(levels, base), bags(levels, first), last)


def ascribed_at_each_level(base: str, first: str, levels: int) -> str:
    text = f'{types(levels, base)} {first} (export $e0 "e0" (instance $b0) (instance (type $i0)))'
    for i in range(1, levels):
        text += f"""(instance $b{i} (export "a" (instance $e{i - 1})) (export "b" (instance $e{i - 1})))
            (export $e{i} "e{i}" (instance $b{i}) (instance (type $i{i})))"""
    return component(text)


# ---- components -----------------------------------------------------------------------------------------------------


def made(levels: int, *, exported: bool) -> str:
    """An instance of the last of `$c0`…"""
    text = f"(instance $z (instantiate $c{levels - 1}))"
    return text + '(export "z" (instance $z))' if exported else text


def nested(base: str, levels: int) -> str:
    """Components `$c0`… that instantiate the one before twice and export both."""
    text = f"(component $c0 {base})"
    for i in range(1, levels):
        text += f"""(component $c{i} (alias outer 1 $c{i - 1} (component $p))
            (instance $x (instantiate $p)) (instance $y (instantiate $p))
            (export "a" (instance $x)) (export "b" (instance $y)))"""
    return text


def nested_with_an_import(levels: int) -> str:
    """Each exports a bag in which one of its two instances stands twice."""
    func = '(import "f" (func $f))'
    give = '(with "f" (func $f))'
    text = f'(component $c0 {func} (instance $i (export "f" (func $f))) (export "a" (instance $i)))'
    for i in range(1, levels):
        text += f"""(component $c{i} (alias outer 1 $c{i - 1} (component $p)) {func}
            (instance $x (instantiate $p {give})) (instance $y (instantiate $p {give}))
            (instance $b (export "x" (instance $x)) (export "y" (instance $y)) (export "z" (instance $x)))
            (export "a" (instance $b)))"""
    return component(text, f'{func} (instance $z (instantiate $c{levels - 1} {give})) (export "z" (instance $z))')


def nested_and_ascribed(levels: int) -> str:
    func = '(import "f" (func $f (param "x" u8)))'
    give = '(with "f" (func $f))'
    text = f'{types(levels, FUNC)} (component $c0 {func} (export "f" (func $f)))'
    for i in range(1, levels):
        text += f"""(component $c{i} (alias outer 1 $c{i - 1} (component $p)) (alias outer 1 $i{i - 1} (type $t)) {func}
            (instance $x (instantiate $p {give})) (instance $y (instantiate $p {give}))
            (export "a" (instance $x) (instance (type $t))) (export "b" (instance $y) (instance (type $t)))
            (export "more" (func $f)))"""
    last = f'(export "z" (instance $z) (instance (type $i{levels - 1})))'
    return component(text, func, f"(instance $z (instantiate $c{levels - 1} {give}))", last)


def inside(base: str, levels: int) -> str:
    """Components within one another, each with two instances of the one inside."""
    text = base
    for _ in range(levels):
        text = f"""(component $p {text}) (instance $x (instantiate $p)) (instance $y (instantiate $p))
            (export "a" (instance $x)) (export "b" (instance $y))"""
    return component(text)


def exchanged(levels: int) -> str:
    """Components whose imported resource is exchanged for two others at every level."""
    text = '(component $c0 (import "t" (type $t (sub resource))) (export "r" (type $t)))'
    for i in range(1, levels):
        text += f"""(component $c{i} (alias outer 1 $c{i - 1} (component $p)) (import "t" (type $t (sub resource)))
            (type $o (resource (rep i32))) (export $own "own" (type $o))
            (instance $x (instantiate $p (with "t" (type $t)))) (instance $y (instantiate $p (with "t" (type $own))))
            (export "a" (instance $x)) (export "b" (instance $y)))"""
    last = f'(instance $z (instantiate $c{levels - 1} (with "t" (type $t)))) (export "z" (instance $z))'
    return component('(import "t" (type $t (sub resource)))', text, last)


# ---- arguments ------------------------------------------------------------------------------------------------------


def args(base: str, first: str, times: int, levels: int) -> str:
    taker = f"""(component $k (alias outer 1 $i{levels - 1} (type $q)) (import "x" (instance $x (type $q)))
        (export "y" (instance $x)))"""
    given = f'(instance (instantiate $k (with "x" (instance $b{levels - 1}))))'
    return component(types(levels, base), bags(levels, first), taker, given * times)


def args_in_a_chain(base: str, first: str, levels: int) -> str:
    """Each level is a component that takes the instance before and exports it twice."""
    text = types(levels, base) + first
    for i in range(1, levels):
        text += f"""(component $k{i} (alias outer 1 $i{i - 1} (type $q)) (import "x" (instance $x (type $q)))
                (export "a" (instance $x)) (export "b" (instance $x)))
            (instance $b{i} (instantiate $k{i} (with "x" (instance $b{i - 1}))))"""
    return component(text, f'(export "z" (instance $b{levels - 1}))')


def compared(one: str, other: str, sort: str, levels: int) -> str:
    """Something of the last type of `one` is given where an equal type is wanted, the last of `other`."""
    taker = f'(component $k (alias outer 1 $j{levels - 1} (type $q)) (import "x" ({sort} (type $q))))'
    given = f'(import "z" ({sort} $z (type $i{levels - 1}))) (instance (instantiate $k (with "x" ({sort} $z))))'
    return component(one, other, taker, given)


def compared_instances(base: str, n: int) -> str:
    return compared(types(n, base, "i"), types(n, base, "j"), "instance", n)


def compared_components(base: str, sides: tuple[str, str], n: int) -> str:
    return compared(component_types(n, base, sides, "i"), component_types(n, base, sides, "j"), "component", n)


def compared_with_instances(base: str, side: str, n: int) -> str:
    one, other = (component_types_with_instances(n, base, side, prefix) for prefix in "ij")
    return compared(one, other, "component", n)


def of_the_host(levels: int) -> str:
    """Two instances of an imported component that exports an instance of a doubled type."""
    type = f"""(type $c (component (alias outer 1 $i{levels - 1} (type $p)) (export "o" (instance (type $p)))))
        (import "c" (component $c (type $c)))"""
    return component(types(levels, METHOD), type, "(instance (instantiate $c))" * 2)


SHAPES: dict[str, Shape] = {
    **{f"types, {name}": partial(lambda base, n: component(types(n, base)), base) for name, base in BASES.items()},
    **{f"imported, {name}": partial(imported, base, 1) for name, base in BASES.items()},
    "imported, twenty times": partial(imported, METHOD, 20),
    "imported, each": partial(imported_each, METHOD),
    "values, tuples": partial(values, "(tuple $p $p)"),
    "values, results": partial(values, "(result $p (error $p))"),
    "values, variants": variants,
    "core types": core_types,
    "bags, exported": partial(bags_exported, OF_FUNC),
    "bags, resource": partial(bags_exported, OF_RESOURCE),
    "bags, aliases": bags_of_aliases,
    "exports of exports": partial(exports_of_exports, OF_FUNC),
    "exports of exports, resource": partial(exports_of_exports, OF_RESOURCE),
    "ascribed, func": partial(ascribed, FUNC, OF_FUNC),
    "ascribed, less": partial(ascribed, EMPTY, OF_FUNC),
    "ascribed, resource": partial(ascribed, RESOURCE, OF_RESOURCE),
    "ascribed, method": partial(ascribed, METHOD, OF_METHOD),
    "ascribed at each level, func": partial(ascribed_at_each_level, FUNC, OF_FUNC),
    "ascribed at each level, less": partial(ascribed_at_each_level, EMPTY, OF_FUNC),
    "ascribed at each level, resource": partial(ascribed_at_each_level, RESOURCE, OF_RESOURCE),
    "nested, made": lambda n: component(nested("", n), made(n, exported=False)),
    "nested, exported": lambda n: component(nested("", n), made(n, exported=True)),
    "nested, resource": lambda n: component(nested(DEFINED, n), made(n, exported=True)),
    "nested, lifted": lambda n: component(nested(LIFTED, n), made(n, exported=True)),
    "nested, import": nested_with_an_import,
    "nested, ascribed": nested_and_ascribed,
    "inside, empty": partial(inside, ""),
    "inside, resource": partial(inside, DEFINED),
    "inside, modules": partial(inside, "(core module $m) (core instance (instantiate $m))"),
    "exchanged": exchanged,
    "args, empty": partial(args, EMPTY, OF_NOTHING, 1),
    "args, func": partial(args, FUNC, OF_FUNC, 1),
    "args, resource": partial(args, RESOURCE, OF_IMPORTED, 1),
    "args, twenty times": partial(args, METHOD, OF_METHOD, 20),
    "args in a chain, empty": partial(args_in_a_chain, EMPTY, OF_NOTHING),
    "args in a chain, method": partial(args_in_a_chain, METHOD, OF_METHOD),
    **{f"compared, {name}": partial(compared_instances, base) for name, base in BASES.items()},
    "compared, component exports": partial(compared_components, TYPE_EXPORT, ("export", "export")),
    "compared, component imports": partial(compared_components, TYPE_IMPORT, ("import", "import")),
    "compared, components": partial(compared_components, TYPE_IMPORT, ("import", "export")),
    "compared, exports of components of instances": partial(compared_with_instances, TYPE_EXPORT, "export"),
    "compared, imports of components of instances": partial(compared_with_instances, TYPE_IMPORT, "import"),
    "of the host": of_the_host,
}


def measure(wasm: bytes) -> str:
    """The processor's time for decoding and planning, the most that is allocated, and what comes of it."""
    started = time.thread_time()
    outcome = answer(wasm)
    took = time.thread_time() - started
    tracemalloc.start()
    answer(wasm)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"{len(wasm)} bytes, {took * 1000:.0f} ms, {peak / 1e6:.1f} MB, {outcome}"


def answer(wasm: bytes) -> str:
    """What a component comes to: `accepted`, or the error."""
    try:
        plan_component(binary.decode(wasm))
    except WippyError as error:
        return f"{type(error).__name__}: {error.message[:60]}"
    return "accepted"


def main() -> int:
    levels = [int(text) for text in sys.argv[1:]] or [4, 8, 12, 16, 20, 32, 64]
    for name, make in SHAPES.items():
        for n in levels:
            print(f"{name} {n}: {measure(wat2wasm(make(n)))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
