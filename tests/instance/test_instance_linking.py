"""Guests, components and modules given for imports: all that an import's type demands is checked when it is linked."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import pytest

from wippywasm.errors import BinaryError, InvalidError, LinkError, MalformedError, ValidationError

SERVER = """
(component
  (type $point (record (field "x" u32)))
  (type $shape (variant (case "none") (case "some" string)))
  (core module $m (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
  (core instance $i (instantiate $m))
  (func $f (param "n" u32) (result u32) (canon lift (core func $i "f")))
  (instance $inner (export "f" (func $f)) (export "point" (type $point)))
  (component $c
    (core module $m (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))
  (component $d
    (alias outer 1 $m (core module $m2))
    (core instance $i (instantiate $m2))
    (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))
  (instance (export "a:b/all")
    (export "f" (func $f))
    (export "point" (type $point))
    (export "shape" (type $shape))
    (export "inner" (instance $inner))
    (export "times" (component $c))
    (export "outer" (component $d))
    (export "code" (core module $m))))
"""

PARTS = """
(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "f")))
  (instance $x (export "f" (func $f)))
  (export "a:b/x" (instance $x))
  (export "g" (func $f)))
"""


def test_a_guest_given_for_a_part_of_it(load: Any) -> None:
    """What is meant is said, and works."""
    needs_x = load('(component (import "a:b/x" (instance (export "f" (func)))))')
    needs_g = load('(component (import "g" (func)))')
    with load(PARTS).instantiate() as guest:
        for given in (guest, guest.exports):
            with pytest.raises(LinkError, match=r"give guest.exports\['a:b/x'\], which has 'f'"):
                needs_x.instantiate({"a:b/x": given})
            with pytest.raises(LinkError, match=r"got a guest or its exports \(give guest.exports.g\)"):
                needs_g.instantiate({"g": given})
        needs_x.instantiate({"a:b/x": guest.exports["a:b/x"]}).close()
        needs_g.instantiate({"g": guest.exports.g}).close()


NESTED = """
(component
  (core module $m (func (export "f") (result i32) (i32.const 7)))
  (core instance $i (instantiate $m))
  (func $f (result u32) (canon lift (core func $i "f")))
  (instance $x (export "f" (func $f)))
  (instance $outer (export "a:b/c@1.2.0" (instance $x)))
  (export "outer" (instance $outer)))
"""
NEEDS_NESTED = """
(component
  (import "outer" (instance $o (export "a:b/c@1.0.1" (instance (export "f" (func (result u32)))))))
  (alias export $o "a:b/c@1.0.1" (instance $i))
  (alias export $i "f" (func $f))
  (export "g" (func $f)))
"""


def test_versions_within_an_instance(load: Any) -> None:
    needs = load(NEEDS_NESTED)
    with load(NESTED).instantiate() as guest:
        assert needs.instantiate({"outer": guest.exports["outer"]}).call("g") == 7
    for name in ("a:b/c@1.0.1", "a:b/c@1.9.0", "a:b/c"):
        assert needs.instantiate({"outer": {name: {"f": lambda: 3}}}).call("g") == 3
    for name in ("a:b/c@2.0.0", "a:b/d@1.0.1"):
        with pytest.raises(LinkError, match=r"'outer#a:b/c@1\.0\.1#f'"):
            needs.instantiate({"outer": {name: {"f": lambda: 3}}})


@pytest.mark.parametrize(
    ("imports", "message"),
    [
        ({"a:b/use": {"f": print}}, "'a:b/use#deep#far#g': .* is missing: the mapping given has no 'deep'$"),
        ({"a:b/use": SimpleNamespace(f=print)}, "SimpleNamespace has no 'deep'$"),
        ({"a:b/use": {"f": print, "deep": {}}}, "'a:b/use#deep#far#g': .* is missing: the mapping given has no 'far'$"),
        ({"a:b/use": {"f": print, "deep": {"far": {}}}}, "the mapping given has no 'g'$"),
        ({"a:b/use": {"f": print, "deep": {None: 1}}}, "the mapping given has no 'far'$"),
        ({"a:b/us": {}}, r"nothing is given for import 'a:b/use#f': func\(\) \(did you mean 'a:b/us'\?\)$"),
    ],
)
def test_what_is_given_in_part(load: Any, imports: Any, message: str) -> None:
    needs = load(
        """(component (import "a:b/use" (instance (export "f" (func))
          (export "deep" (instance (export "far" (instance (export "g" (func)))))))))"""
    )
    with pytest.raises(LinkError, match=message):
        needs.link(imports)


OTHER_VERSION = r"\('a:b/c@2\.0\.0' is given, of a version that is not compatible\)$"
PASS = r"\(pass imports=\{'a:b/c@1\.2\.0': …\}"
BAD_CODE = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\5\1\1f\0\0\x0a\5\1\3\0\x6a\x0b"


@pytest.mark.parametrize(
    ("wanted", "imports", "message"),
    [
        ('(instance (export "f" (func)))', {}, f"{PASS}, or undeclared='deny' to refuse it when it is called"),
        ('(instance (export "f" (func)))', {"a:b/c@2.0.0": {"f": print}}, OTHER_VERSION),
        ('(component (export "f" (func)))', {}, rf"which is a component {PASS}: a loaded component\)$"),
        ('(component (export "f" (func)))', {"a:b/c@2.0.0": 1}, rf"which is a component {OTHER_VERSION}"),
        ("(core module)", {}, rf"which is a core module {PASS}: a core module's bytes, or a loaded one\)$"),
        ("(core module)", {"a:b/c@2.0.0": b""}, rf"which is a core module {OTHER_VERSION}"),
        (
            '(instance (export "x:y/z@1.0.0" (instance (export "f" (func)))))',
            {"a:b/c@1.2.0": {}},
            r"import 'a:b/c@1\.2\.0#x:y/z@1\.0\.0#f': .* the mapping given has no 'x:y/z@1\.0\.0'$",
        ),
    ],
)
def test_what_is_missing_says_what_to_pass(load: Any, wanted: str, imports: Any, message: str) -> None:
    needs = load(f'(component (import "a:b/c@1.2.0" {wanted}))')
    with pytest.raises(LinkError, match=message):
        needs.link(imports)
    if not wanted.startswith("(instance"):
        with pytest.raises(LinkError, match=message):
            needs.link(imports, undeclared="deny")


@pytest.mark.parametrize(("given", "error"), [(b"xx", MalformedError), (BAD_CODE, ValidationError)])
def test_a_bad_module_is_told_of_its_import(load: Any, given: bytes, error: type[BinaryError]) -> None:
    needs = load(
        """(component (import "m" (core module $m (export "f" (func)))) (core instance $i (instantiate $m)))"""
    )
    with pytest.raises(error, match=r"^the core module given for import 'm': "):
        needs.instantiate({"m": given})


@pytest.mark.parametrize("name", [None, 1])
def test_imports_have_names(load: Any, name: Any) -> None:
    with pytest.raises(InvalidError, match=f"and {name} is none"):
        load('(component (import "f" (func)))').link({name: print})


DEMANDS = {
    "all that there is": (
        """(export "point" (type (eq $point))) (export "f" (func (param "n" u32) (result u32)))
        (export "inner" (instance (export "f" (func (param "n" u32) (result u32)))))""",
        None,
    ),
    "a function that nobody calls": (
        '(export "g" (func))',
        r"import 'a:b/all#g' needs func\(\), and .* has nothing of the name 'g'",
    ),
    "another signature": (
        '(export "f" (func (param "n" u64) (result u32)))',
        r"import 'a:b/all#f' needs func\(n: u64\) -> u32, and the guest's function is func\(n: u32\) -> u32",
    ),
    "another name of a parameter": (
        '(export "f" (func (param "m" u32) (result u32)))',
        r"import 'a:b/all#f' needs func\(m: u32\) -> u32, and the guest's function is func\(n: u32\) -> u32",
    ),
    "a function where there is an instance": ('(export "inner" (func))', "has an instance of the name 'inner'"),
    "an instance that is not there": (
        '(export "absent" (instance (export "p" (type (eq $point)))))',
        "import 'a:b/all#absent' needs an instance, and .* has nothing of the name 'absent'",
    ),
    "an empty instance": ('(export "absent" (instance))', "import 'a:b/all#absent' needs an instance"),
    "an instance where there is a function": ('(export "f" (instance))', "has a function of the name 'f'"),
    "a function of a nested instance": (
        '(export "inner" (instance (export "h" (func))))',
        r"import 'a:b/all#inner#h' needs func\(\)",
    ),
    "a type that is not there": ('(export "size" (type (eq $point)))', "import 'a:b/all#size' needs a type"),
    "another type": (
        '(export "shape" (type (eq $point)))',
        r"import 'a:b/all#shape' is the type record \{ x: u32 \}, and .* has variant",
    ),
    "another type in a nested instance": (
        '(export "inner" (instance (alias outer 2 $other (type $o)) (export "point" (type (eq $o)))))',
        r"import 'a:b/all#inner#point' is the type record \{ x: u64 \}, and .* has record \{ x: u32 \} of that name",
    ),
    "a resource": (
        '(export "r" (type (sub resource)))',
        "import 'a:b/all#r' needs a resource, and .* has nothing of the name 'r'",
    ),
    "a resource where there is a type": (
        '(export "point" (type (sub resource)))',
        "import 'a:b/all#point' needs a resource, and .* has a type of the name 'point'",
    ),
    "a module": (
        '(export "absent" (core module))',
        "import 'a:b/all#absent' needs a core module, and .* has nothing of the name 'absent'",
    ),
    "a module where there is a function": ('(export "f" (core module))', "import 'a:b/all#f' is a core module"),
    "another module": (
        '(export "code" (core module (export "g" (func))))',
        "the core module given for import 'a:b/all#code' does not fit",
    ),
    "a component": (
        '(export "absent" (component))',
        r"nothing is given for import 'a:b/all#absent', which is a component \(.* has no 'absent'\)",
    ),
    "a component where there is a function": ('(export "f" (component))', "import 'a:b/all#f' is a component"),
    "another component": (
        '(export "times" (component (export "g" (func))))',
        "the component given for import 'a:b/all#times' does not fit: export 'g': it is missing",
    ),
}


@pytest.mark.parametrize("demand", DEMANDS)
def test_an_instance_has_all_that_the_import_demands(load: Any, demand: str) -> None:
    exports, refusal = DEMANDS[demand]
    client = load(
        f"""(component
          (type $point (record (field "x" u32)))
          (type $other (record (field "x" u64)))
          (import "a:b/all" (instance
            (alias outer 1 $point (type $point)) (alias outer 1 $other (type $other)) {exports})))"""
    )
    with load(SERVER).instantiate() as server:
        if refusal is None:
            client.link({"a:b/all": server.exports["a:b/all"]})
            return
        with pytest.raises(LinkError, match=refusal) as refused:
            client.link({"a:b/all": server.exports["a:b/all"]})
        assert refused.value.import_name == "a:b/all"


def test_a_guest_stands_for_its_exports(load: Any) -> None:
    client = load('(component (import "i" (instance $i (export "f" (func (result u32))))) (export "g" (func $i "f")))')
    source = """(component
      (core module $m (func (export "f") (result i32) (i32.const 7)))
      (core instance $i (instantiate $m))
      (func (export "f") (result u32) (canon lift (core func $i "f"))))"""
    with load(source).instantiate() as server, client.instantiate({"i": server}) as guest:
        assert guest.call("g") == 7


def test_methods_of_a_component_are_no_functions_of_an_import(load: Any) -> None:
    client = load('(component (import "i" (instance (export "compile" (func)))))')
    with pytest.raises(LinkError, match="import 'i' is an instance") as refused:
        client.link({"i": client})
    assert "instantiate it" in str(refused.value.hint)


@pytest.mark.parametrize("imports", [5, [("i", {})], {5: {}}])
def test_imports_are_a_mapping_by_names(load: Any, imports: Any) -> None:
    with pytest.raises(InvalidError, match="imports must be a mapping from names of imports"):
        load("(component)").link(imports)


def test_the_exports_of_a_guest_are_no_imports(load: Any) -> None:
    with (
        load("(component)").instantiate() as guest,
        pytest.raises(InvalidError, match="not the exports of a guest"),
    ):
        load("(component)").link(guest.exports)


# ---- components and modules from within instances ------------------------------------------------------------------

USER = """
(component
  (import "a:b/all" (instance $all
    (export "PART" (component (export "f" (func (param "n" u32) (result u32)))))))
  (alias export $all "PART" (component $c))
  (instance $i (instantiate $c))
  (export "f" (func $i "f")))
"""


@pytest.mark.parametrize(("part", "result"), [("times", 21), ("outer", 8)])
def test_a_component_of_another_guest(load: Any, part: str, result: int) -> None:
    with (
        load(SERVER).instantiate() as server,
        load(USER.replace("PART", part)).instantiate({"a:b/all": server.exports["a:b/all"]}) as guest,
    ):
        assert guest.call("f", 7) == result


@pytest.mark.parametrize(("part", "result"), [("times", 21), ("outer", 8)])
def test_a_component_that_a_guest_exports_is_one_of_its_own(load: Any, part: str, result: int) -> None:
    with load(SERVER).instantiate() as server:
        component = server.exports["a:b/all"][part]
    with component.instantiate() as guest:
        assert guest.call("f", 7) == result
    with load(USER.replace("PART", part)).instantiate({"a:b/all": {part: component}}) as guest:
        assert guest.call("f", 7) == result


def test_a_core_module_of_another_guest(load: Any) -> None:
    user = load(
        """(component
          (import "a:b/all" (instance $all
            (export "code" (core module (export "f" (func (param i32) (result i32)))))))
          (alias export $all "code" (core module $m))
          (core instance $i (instantiate $m))
          (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f")))
          (export "code" (core module $m)))"""
    )
    with (
        load(SERVER).instantiate() as server,
        user.instantiate({"a:b/all": server.exports["a:b/all"]}) as guest,
    ):
        assert guest.call("f", 41) == 42
        with user.instantiate({"a:b/all": guest}) as second:
            assert second.call("f", 41) == 42


# ---- functions and resources of guests, given one by one -----------------------------------------------------------

COUNTERS = """
(component
  (type $r' (resource (rep i32)))
  (export $r "counter" (type $r'))
  (core func $new (canon resource.new $r'))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "value") (param i32) (result i32) (local.get 0))
    (func (export "twice") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
    (func (export "half") (param i32) (result i32) (i32.and (local.get 0) (i32.const 1))))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (func (export "[constructor]counter") (param "n" u32) (result (own $r)) (canon lift (core func $i "make")))
  (func (export "[method]counter.value") (param "self" (borrow $r)) (result u32) (canon lift (core func $i "value")))
  (func (export "twice") (param "n" u32) (result u32) (canon lift (core func $i "twice")))
  (func (export "half") (param "n" u32) (result (result)) (canon lift (core func $i "half"))))
"""

COUNTING = """
(component
  (import "counter" (type $r (sub resource)))
  (import "[constructor]counter" (func $make (param "n" u32) (result (own $r))))
  (import "[method]counter.value" (func $value (param "self" (borrow $r)) (result u32)))
  (core func $make (canon lower (func $make)))
  (core func $value (canon lower (func $value)))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "value" (func $value (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "f") (param i32) (result i32)
      (local $h i32) (local $v i32)
      (local.set $h (call $make (local.get 0)))
      (local.set $v (call $value (local.get $h)))
      (call $drop (local.get $h))
      (local.get $v)))
  (core instance $i (instantiate $m (with "" (instance
    (export "make" (func $make)) (export "value" (func $value)) (export "drop" (func $drop))))))
  (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))
"""


def test_a_resource_of_another_guest_brings_its_functions(load: Any) -> None:
    with (
        load(COUNTERS).instantiate() as server,
        load(COUNTING).instantiate({"counter": server.exports.Counter}) as guest,
    ):
        assert guest.call("f", 42) == 42


def test_functions_of_another_guest_are_compared_one_by_one(load: Any) -> None:
    client = load('(component (import "f" (func (param "n" u64) (result (result)))))')
    with load(COUNTERS).instantiate() as server:
        with pytest.raises(LinkError, match=r"import 'f' needs func\(n: u64\) -> result, and the guest's function is"):
            client.link({"f": server.exports.half})
        with pytest.raises(LinkError, match="import 'f' needs"):
            client.link({"f": server.func("half")})


@pytest.mark.parametrize(("name", "result"), [("half", "(result)"), ("twice", "u32")])
def test_what_python_makes_of_a_guests_function_is_a_function_of_its_own(load: Any, name: str, result: str) -> None:
    client = load(
        f"""(component
          (import "f" (func $f (param "n" u32) (result {result})))
          (core func $f (canon lower (func $f)))
          (core module $m (import "" "f" (func $f (param i32) (result i32)))
            (func (export "f") (param i32) (result i32) (call $f (local.get 0))))
          (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
          (func (export "f") (param "n" u32) (result {result}) (canon lift (core func $i "f"))))"""
    )
    seen: list[int] = []
    with load(COUNTERS).instantiate() as server:
        function = server.func(name)

        @functools.wraps(function)
        def logged(n: int) -> Any:
            seen.append(n)
            return function(n)

        with client.instantiate({"f": logged}) as guest:
            guest.call("f", 2)
        assert seen == [2]


def test_instances_of_one_component_have_resources_of_their_own(load: Any) -> None:
    counters = load(COUNTERS)
    with counters.instantiate() as one, counters.instantiate() as other:
        mixed = {"counter": one.exports.Counter, "[method]counter.value": other.exports.Counter.value}
        with pytest.raises(LinkError, match="another resource of that name"):
            load(COUNTING).link(mixed)


SWAPPING = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "f") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "f") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "f"))))
"""
SWAPPED = """
(component
  (import "f" (func $f (param "NAMES" u32) (param "NAMES" u32) (result u32)))
  (core func $f (canon lower (func $f)))
  (core module $m (import "" "f" (func $f (param i32 i32) (result i32)))
    (func (export "g") (result i32) (call $f (i32.const 5) (i32.const 2))))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func (export "g") (result u32) (canon lift (core func $i "g"))))
"""


def test_parameters_of_another_guests_function_have_their_names(load: Any) -> None:
    def client(first: str, second: str) -> Any:
        return load(SWAPPED.replace("NAMES", first, 1).replace("NAMES", second, 1))

    with load(SWAPPING).instantiate() as server:
        with client("a", "b").instantiate({"f": server.exports.f}) as guest:
            assert guest.call("g") == 3
        with pytest.raises(
            LinkError,
            match=r"import 'f' needs func\(b: u32, a: u32\) -> u32, "
            r"and the guest's function is func\(a: u32, b: u32\) -> u32",
        ):
            client("b", "a").link({"f": server.exports.f})
        with client("b", "a").instantiate({"f": lambda *given: server.exports.f(*given)}) as guest:
            assert guest.call("g") == 3  # one of Python's has places only


def test_another_guests_type_of_the_same_words(load: Any) -> None:
    exports = """(component
      (type $a' (resource (rep i32))) (type $b' (resource (rep i32)))
      (instance $x (export "thing" (type $a'))) (instance $y (export "thing" (type $b')))
      (instance $i (export "x" (instance $x)) (export "y" (instance $y)))
      (export "i" (instance $i)))"""
    client = load(
        """(component (import "i" (instance
          (export "x" (instance $x (export "thing" (type (sub resource)))))
          (alias export $x "thing" (type $thing))
          (export "y" (instance (export "thing" (type (eq $thing))))))))"""
    )
    with (
        load(exports).instantiate() as server,
        pytest.raises(LinkError, match=r"'i#y#thing' is the type resource thing, and .* has another resource"),
    ):
        client.link({"i": server.exports.i})


def test_names_of_one_resource_are_one_at_both_ends(load: Any) -> None:
    two = """(component
      (type $a' (resource (rep i32))) (type $b' (resource (rep i32)))
      (export $a "a" (type $a')) (export "b" (type (SECOND))))"""
    client = load(
        """(component (import "i" (instance
          (export "a" (type $a (sub resource))) (export "b" (type (eq $a))))))"""
    )
    with load(two.replace("(SECOND)", "$a")).instantiate() as same:
        client.link({"i": same})
    with (
        load(two.replace("(SECOND)", "$b'")).instantiate() as different,
        pytest.raises(LinkError, match=r"import 'i#b' is the type resource a, and .* has resource b of that name"),
    ):
        client.link({"i": different})
