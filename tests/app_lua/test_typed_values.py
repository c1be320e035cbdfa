"""Values of functions with signatures: what Lua may give for each type, what it gets, what is refused and how."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app_lua.hosts import FakeHost, body, takes
from wippywasm.errors import InvalidError, ValueMismatchError
from wippywasm.model import (
    BOOL,
    CHAR,
    F32,
    F64,
    PRIMS,
    S8,
    S32,
    S64,
    STRING,
    U8,
    U32,
    U64,
    Case,
    EnumType,
    Field,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    Param,
    Prim,
    RecordType,
    ResourceType,
    ResultType,
    TupleType,
    TypeDef,
    ValType,
    VariantType,
)
from wippywasm.values import Err, Ok, Some, Variant

POINT = RecordType((Field("x", S32), Field("y-axis", S32)))
SHAPE = VariantType((Case("circle", F64), Case("label", STRING), Case("none")))
COLOR = EnumType(("red", "dark-blue"))
RIGHTS = FlagsType(("read", "write", "run"))
FILE_RIGHTS = FlagsType(("list-files", "make-files"))
USER = RecordType((Field("id", U32), Field("name", STRING), Field("tags", ListType(STRING)), Field("active", BOOL)))


def given_to(t: ValType, lua: str, *args: Any) -> Any:
    """What the host gets for a Lua expression."""
    host = FakeHost()
    host.serve("app:f", lambda value: None, takes(t))
    body(f"local v, err = funcs.call('app:f', {lua}) if err then error(err) end", *args, host=host)
    return host.calls[-1][1][0]


def got_from(t: ValType, value: Any, lua: str = "v") -> Any:
    """What a Lua expression over the result `v` gives."""
    host = FakeHost()
    host.serve("app:f", lambda: value, takes(result=t))
    return body(f"local v, err = funcs.call('app:f') if err then error(err) end return {lua}", host=host)


@pytest.mark.parametrize(
    ("t", "lua", "value"),
    [
        (BOOL, "true", True),
        (U8, "255", 255),
        (S8, "-128", -128),
        (S32, "3.0", 3),
        (S64, "math.mininteger", -(1 << 63)),
        (U64, "-1", (1 << 64) - 1),
        (U64, "2^63", 1 << 63),
        (F64, "1", 1.0),
        (F32, "0.5", 0.5),
        (CHAR, "'é'", "é"),
        (STRING, "'a\\0é'", "a\0é"),
        (ListType(U8), "'\\xff\\0'", b"\xff\0"),
        (ListType(U8), "{1, 2.0, 255}", b"\x01\x02\xff"),
        (ListType(U32), "{}", []),
        (ListType(U32, 2), "{1, 2}", [1, 2]),
        (ListType(OptionType(U32)), "{1, nil, 3}", [1, None, 3]),
        (ListType(OptionType(U32)), "{nil, nil, n = 2}", [None, None]),
        (ListType(ListType(STRING)), "{{}, {'a'}}", [[], ["a"]]),
        (TupleType((U8, STRING)), "{7, 'x'}", (7, "x")),
        (TupleType((OptionType(U8), U8)), "{nil, 2}", (None, 2)),
        (POINT, "{x = 1, y_axis = 2}", {"x": 1, "y-axis": 2}),
        (POINT, "{x = 1, ['y-axis'] = 2}", {"x": 1, "y-axis": 2}),
        (POINT, "setmetatable({x = 1, y_axis = 2}, {__index = error})", {"x": 1, "y-axis": 2}),
        (SHAPE, "{tag = 'circle', value = 2}", Variant("circle", 2.0)),
        (SHAPE, "{circle = 2}", Variant("circle", 2.0)),
        (SHAPE, "'none'", Variant("none")),
        (SHAPE, "{tag = 'none'}", Variant("none")),
        (COLOR, "'dark-blue'", "dark-blue"),
        (RIGHTS, "{read = true, run = false}", {"read"}),
        (RIGHTS, "{'run', 'read', 'run'}", {"read", "run"}),
        (RIGHTS, "{}", set()),
        (FILE_RIGHTS, "{list_files = true, ['make-files'] = true}", {"list-files", "make-files"}),
        (FILE_RIGHTS, "{'list_files', 'list-files'}", {"list-files"}),
        (COLOR, "'dark_blue'", "dark-blue"),
        (VariantType((Case("dark-blue", U8),)), "{dark_blue = 5}", Variant("dark-blue", 5)),
        (VariantType((Case("dark-blue", U8),)), "{tag = 'dark_blue', value = 5}", Variant("dark-blue", 5)),
        (OptionType(U8), "nil", None),
        (OptionType(U8), "5", 5),
        (OptionType(OptionType(U8)), "{some = 5}", Some(5)),
        (OptionType(OptionType(U8)), "{}", Some(None)),
        (OptionType(OptionType(U8)), "nil", None),
        (ResultType(U8, STRING), "{ok = 5}", Ok(5)),
        (ResultType(U8, STRING), "{err = 'no'}", Err("no")),
        (ResultType(None, STRING), "{ok = true}", Ok()),
        (ResultType(OptionType(U8), None), "{tag = 'ok'}", Ok()),
        (MapType(STRING, U8), "{a = 1}", {"a": 1}),
    ],
)
def test_lua_gives(t: ValType, lua: str, value: Any) -> None:
    assert given_to(t, lua) == value


@pytest.mark.parametrize(
    ("t", "value", "lua", "expected"),
    [
        (U64, (1 << 64) - 1, "v == -1 and math.type(v)", "integer"),
        (S64, -(1 << 63), "v == math.mininteger", True),
        (F64, 2.0, "math.type(v)", "float"),
        (CHAR, "é", "#v", 2),
        (STRING, "a\0é", "v", "a\0é"),
        (ListType(U8), b"\xff\0", "type(v) == 'string' and v:byte(1)", 255),
        (ListType(S32), [-1, 2], "v", [-1, 2]),
        (ListType(OptionType(U8)), [1, None], "{v[1], v.n}", [1, 2]),
        (TupleType((U8, STRING)), (7, "x"), "v", [7, "x"]),
        (POINT, {"x": 1, "y-axis": 2}, "v", {"x": 1, "y-axis": 2}),
        (SHAPE, Variant("circle", 2.5), "v", {"tag": "circle", "value": 2.5}),
        (SHAPE, Variant("none"), "v", {"tag": "none"}),
        (COLOR, "dark-blue", "v", "dark-blue"),
        (RIGHTS, {"read", "run"}, "v", {"read": True, "run": True}),
        (OptionType(U8), None, "v == nil", True),
        (OptionType(OptionType(U8)), Some(5), "v", {"some": 5}),
        (OptionType(OptionType(U8)), Some(None), "next(v) == nil", True),
        (TupleType((ResultType(U8, None),)), (Ok(5),), "v[1]", {"ok": 5}),
        (TupleType((ResultType(U8, None),)), (Err(),), "v[1]", {"err": True}),
        (MapType(STRING, U8), {"a": 1}, "v", {"a": 1}),
    ],
)
def test_lua_gets(t: ValType, value: Any, lua: str, expected: Any) -> None:
    assert got_from(t, value, lua) == expected


@pytest.mark.parametrize(
    ("t", "lua", "message"),
    [
        (ListType(USER), "{{id = 1, name = 'x', tags = 5, active = true}}", "a[1].tags: expected list<string>, got 5"),
        (
            ListType(USER),
            "{{id = 1, name = 'x', tags = {'a', 5}, active = true}}",
            "a[1].tags[2]: expected string, got 5",
        ),
        (ListType(USER), "{{id = 1, tags = {}, active = true}}", "a[1].name: expected string, got nil"),
        (POINT, "{x = 1, y = 2}", "a: expected record {x, y-axis}, got a table with the field 'y'"),
        (
            POINT,
            "{x = 1, y_axis = 2, ['y-axis'] = 2}",
            "a: expected record {x, y-axis}, got both 'y-axis' and 'y_axis'",
        ),
        (POINT, "{x = 1, y_axis = 'b'}", "a['y-axis']: expected s32, got \"b\""),
        (U8, "256", "a: expected u8, got 256, which is out of range"),
        (U8, "1.5", "a: expected u8, got 1.5"),
        (U8, "'1'", 'a: expected u8, got "1"'),
        (U64, "-1.0", "a: expected u64, got -1.0, which is out of range"),
        (U64, "2^64", "a: expected u64, got 1.844674407371e+19"),
        (BOOL, "1", "a: expected bool, got 1"),
        (F64, "'1'", 'a: expected f64, got "1"'),
        (CHAR, "'ab'", 'a: expected char, got "ab"'),
        (CHAR, "''", 'a: expected char, got ""'),
        (CHAR, "'\\xc3('", "a: expected char, got invalid UTF-8: byte 0xc3 at position 1"),
        (STRING, "'ab\\xff'", "a: expected string, got invalid UTF-8: byte 0xff at position 3"),
        (STRING, "print", "a: expected string, got a function"),
        (ListType(U32), "{1, nil, 3}", "a[2]: expected u32, got nil"),
        (ListType(U32), "{1, x = 2}", 'a: expected list<u32>, got a table with the key "x"'),
        (ListType(U32, 2), "{1}", "a: expected list<u32, 2>, got a table"),
        (
            ListType(OptionType(U32)),
            "{n = 1 << 40}",
            "a: expected list<option<u32>>, got a table whose n is 1099511627776",
        ),
        (ListType(U8), "{256}", "a[1]: expected u8, got 256, which is out of range"),
        (TupleType((U8, U8)), "{1, 2, 3}", "a: expected tuple<u8, u8>, got a table with the key 3"),
        (SHAPE, "{square = 1}", 'a: expected variant {circle, label, none}, got case "square"'),
        (SHAPE, "{tag = 'label', value = 5}", "a.label: expected string, got 5"),
        (SHAPE, "'circle'", "a.circle: expected f64, got nil"),
        (
            SHAPE,
            "{tag = 'none', value = 5}",
            "a: expected variant {circle, label, none}, got a payload for case 'none', which has none",
        ),
        (COLOR, "'green'", 'a: expected enum {red, dark-blue}, got "green"'),
        (RIGHTS, "{'fly'}", 'a: expected flags {read, write, run}, got the flag "fly"'),
        (RIGHTS, "{read = 1}", "a: expected flags {read, write, run}, got 1 for the flag 'read'"),
        (OptionType(OptionType(U8)), "5", "a: expected option<option<u8>> as {some = …}, got 5"),
        (OptionType(OptionType(U8)), "{some = {some = 1}}", "a.some: expected u8, got a table"),
        (OptionType(OptionType(OptionType(U8))), "{some = {some = 'x'}}", 'a.some.some: expected u8, got "x"'),
        (
            ListType(OptionType(OptionType(POINT))),
            "{{some = {x = 'b', y_axis = 1}}}",
            'a[1].some.x: expected s32, got "b"',
        ),
        (
            ResultType(STRING, U8),
            "{ok = 'x', err = 1}",
            "a: expected result<string, u8> with exactly one case, got a table with 2 keys",
        ),
        (SHAPE, "{}", "a: expected variant {circle, label, none} with exactly one case, got an empty table"),
        (MapType(STRING, U8), "{k = -1}", "a.k: expected u8, got -1, which is out of range"),
    ],
)
def test_a_misfit_is_refused_before_the_host_hears_of_it(t: ValType, lua: str, message: str) -> None:
    host = FakeHost()
    host.serve("app:f", lambda value: None, takes(t))
    source = (
        f"local v, err = funcs.call('app:f', {lua}) return {{v == nil, err:kind(), err:message(), err:details().path}}"
    )
    absent, kind, text, path = body(source, host=host)
    assert (absent, kind) == (True, "INVALID")
    if "e+19" in message:
        assert text.startswith(message[:40])
    else:
        assert text == message
    assert message.startswith(path)
    assert not host.calls


def test_a_misfit_that_nobody_handles_is_the_same_error_in_python() -> None:
    with pytest.raises(ValueMismatchError) as caught:
        given_to(ListType(U8), "{1, 'x'}")
    assert (caught.value.path, caught.value.expected, caught.value.got) == ("a[2]", "u8", '"x"')


def test_arguments_are_counted() -> None:
    host = FakeHost()
    host.serve("app:f", lambda a, b: [a, b], takes(U8, OptionType(U8), result=ListType(U8)))
    source = "local _, e = funcs.call('app:f', 1, 2, 3) return e:kind() .. ' ' .. e:message()"
    assert body(source, host=host) == "INVALID expected 2 arguments, got 3"
    host.serve("app:g", lambda a, b: [a, b], takes(U8, OptionType(U8), result=ListType(OptionType(U8))))
    assert body("return (funcs.call('app:g', 1)).n", host=host) == 2


def test_what_has_no_form_in_lua_is_named() -> None:
    host = FakeHost()
    for t in (OwnType(ResourceType("file")), Prim("error-context")):
        host.serve("app:f", lambda value: None, takes(t))
        with pytest.raises(InvalidError, match="Lua has no form for"):
            body("error(select(2, funcs.call('app:f', 1)))", host=host)


def test_named_types_are_seen_through() -> None:
    name = TypeDef("user")
    name.define(USER)
    host = FakeHost()
    host.serve("app:f", lambda u: u, FuncType((Param("u", name),), name))
    user = {"id": 1, "name": "é", "tags": ["a"], "active": False}
    assert body("return funcs.call('app:f', ...)", user, host=host) == user


def test_a_changed_signature_is_noticed() -> None:
    host = FakeHost()

    def change() -> None:
        host.serve("app:f", lambda a: a, takes(STRING, result=STRING))

    host.serve("app:f", lambda a: a, takes(U8, result=U8))
    host.serve("app:change", change)
    source = "local a = funcs.call('app:f', 5) funcs.call('app:change') return {a, (funcs.call('app:f', 'x'))}"
    assert body(source, host=host) == [5, "x"]


def test_a_type_of_many_fields_and_shared_parts_stays_small() -> None:
    shared: ValType = TupleType((U8,))
    for _ in range(40):
        shared = TupleType((OptionType(shared), OptionType(shared)))
    wide = RecordType(tuple(Field(f"field-{i}", OptionType(STRING)) for i in range(300)))
    host = FakeHost()
    host.serve("app:f", lambda a, b: (a, b), takes(shared, wide, result=TupleType((shared, wide))))
    assert body("local v = funcs.call('app:f', {}, {field_7 = 'x'}) return v[2]", host=host) == {"field-7": "x"}


# any type, any value ------------------------------------------------------------------------------------------------

_NAMES = st.lists(st.sampled_from(["a", "b-c", "some", "tag", "value", "ok", "n"]), min_size=1, max_size=4, unique=True)
_PRIMS = st.sampled_from([p for p in PRIMS.values() if p.name != "error-context"])


def _compound(inner: st.SearchStrategy[ValType]) -> st.SearchStrategy[ValType]:
    maybe = st.one_of(st.none(), inner)
    return st.one_of(
        inner.map(ListType),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: TupleType(tuple(items))),
        _NAMES.flatmap(lambda names: st.tuples(*[inner] * len(names)).map(
            lambda types: RecordType(tuple(Field(n, t) for n, t in zip(names, types))))),
        _NAMES.flatmap(lambda names: st.tuples(*[maybe] * len(names)).map(
            lambda types: VariantType(tuple(Case(n, t) for n, t in zip(names, types))))),
        _NAMES.map(lambda names: EnumType(tuple(names))),
        _NAMES.map(lambda names: FlagsType(tuple(names))),
        inner.map(OptionType),
        st.tuples(maybe, maybe).map(lambda halves: ResultType(*halves)),
    )  # fmt: skip


_TYPES = st.recursive(_PRIMS, _compound, max_leaves=6)


def _prim_values(name: str) -> st.SearchStrategy[Any]:
    if name == "bool":
        return st.booleans()
    if name in ("f32", "f64"):
        return st.floats(width=32 if name == "f32" else 64, allow_nan=False)
    if name in ("char", "string"):
        size = 1 if name == "char" else None
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=size or 0, max_size=size or 8)
    bits, low = int(name[1:]), 0 if name[0] == "u" else 1
    return st.integers(-low * (1 << (bits - 1)), (1 << (bits - low)) - 1)


def _values(t: ValType | None) -> st.SearchStrategy[Any]:
    match t:
        case None:
            return st.none()
        case Prim(name=name):
            return _prim_values(name)
        case ListType(element=Prim(name="u8")):
            return st.binary(max_size=5)
        case ListType(element=element):
            return st.lists(_values(element), max_size=3)
        case TupleType(items=items):
            return st.tuples(*map(_values, items))
        case RecordType(fields=fields):
            return st.fixed_dictionaries({f.name: _values(f.type) for f in fields})
        case VariantType(cases=cases):
            return st.one_of([_values(c.type).map(partial(Variant, c.name)) for c in cases])
        case EnumType(names=names):
            return st.sampled_from(names)
        case FlagsType(names=names):
            return st.sets(st.sampled_from(names))
        case OptionType(type=OptionType() as inner):
            return st.one_of(st.none(), _values(inner).map(Some))
        case OptionType(type=inner):
            return st.one_of(st.none(), _values(inner))
        case ResultType(ok=ok, err=err):
            return st.one_of(_values(ok).map(Ok), _values(err).map(Err))
    raise AssertionError(t)


_CASES = _TYPES.flatmap(lambda t: st.tuples(st.just(t), _values(t)))


@settings(max_examples=100)
@given(_CASES)
def test_what_comes_out_goes_in_again_unchanged(case: tuple[ValType, Any]) -> None:
    t, value = case
    t = TupleType((t,))  # so that a result is a nested one
    host = FakeHost()
    host.serve("app:get", lambda: (value,), takes(result=t))
    host.serve("app:put", lambda v: None, takes(t))
    body("local _, err = funcs.call('app:put', (funcs.call('app:get'))) if err then error(err) end", host=host)
    assert host.calls[-1] == ("app:put", [(value,)])


def test_not_a_number_stays_one() -> None:
    assert math.isnan(given_to(F64, "0/0"))
