"""Types that share their parts as text: what machines read is whole or refused, what people read is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from wippywasm.engine import wat2wasm
from wippywasm.errors import TooLongError
from wippywasm.model import (
    U8,
    EnumType,
    Field,
    FuncType,
    OptionType,
    Param,
    RecordType,
    ResultType,
    TupleType,
    ValType,
)
from wippywasm.plan import describe, describe_func
from wippywasm.unfolded import OF_LINE, OF_OWN, READABLE, ROOM, Texts, cut
from wippywasm.wit import (
    decode,
    func_text,
    parse_text,
    print_resolution,
    print_world,
    to_json,
    type_text,
    world_document,
)

__all__ = ["run"]

MOST_SHOWN = 2 * READABLE + 100


def package(body: str) -> bytes:
    """A package in binary form with one interface."""
    interface = f'(component (type $i (instance {body})) (export "a:b/i" (instance (type $i))))'
    return wat2wasm(f'(component (type $p {interface}) (export "i" (type $p)))')


def sharing(levels: int) -> bytes:
    """A function of `tuple<$t, $t>`, so many levels deep."""
    types = "".join(f"(type $t{i} (tuple $t{i - 1} $t{i - 1}))" for i in range(1, levels))
    return package(
        f'(type $t0 (tuple u8 u8)){types}(type $f (func (param "x" $t{levels - 1})))(export "f" (func (type $f)))'
    )


def wide(parts: int, functions: int) -> bytes:
    """One tuple that each function takes."""
    exports = "".join(f'(export "f{i}" (func (type $f)))' for i in range(functions))
    return package(f'(type $t (tuple {"u8 " * parts}))(type $f (func (param "x" $t))){exports}')


def pairs(levels: int) -> ValType:
    t: ValType = U8
    for _ in range(levels):
        t = TupleType((t, t))
    return t


@pytest.mark.parametrize("binary", [sharing(22), sharing(40), sharing(100), wide(5000, 3000)], ids=len)
def test_packages_that_unfold_are_refused_as_text_and_are_small_as_json(binary: bytes) -> None:
    resolution = decode(binary)
    with pytest.raises(TooLongError, match="too long to be written out") as raised:
        print_resolution(resolution)
    assert "names" in str(raised.value.hint)
    assert len(str(to_json(resolution))) < 2_000 + 20 * len(binary)


def test_sharing_within_reason_is_written_out() -> None:
    text = print_resolution(decode(sharing(10)))
    assert text.count("u8") == 2**10
    assert text.count("tuple<") == 2**10 - 1
    text = print_resolution(decode(wide(500, 200)))
    assert text.count("u8") == 500 * 200


def test_named_types_are_not_unfolded() -> None:
    names = "".join(f"type t{i} = tuple<t{i - 1}, t{i - 1}>;" for i in range(1, 100))
    text = f"package a:b; interface i {{ type t0 = u8; {names} f: func(x: t99); }} world w {{ import i; }}"
    resolution = parse_text(text)
    assert len(print_resolution(resolution)) < 2 * len(text)
    assert "f: func(x: t99);" in world_document(resolution.world())


def test_a_text_whose_types_are_written_out_prints_whatever_its_length() -> None:
    tuples = [f"tuple<{', '.join(['u8', 'list<s16>'] * (100 + i % 7))}, list<u8, {i + 1}>>" for i in range(3000)]
    text = "".join(f"fn{i}: func(x: {t});" for i, t in enumerate(tuples))
    printed = print_resolution(parse_text(f"package a:b; interface i {{ {text} }}"))
    assert len(printed) > len(text) > 2 * ROOM
    assert printed.count("list<s16>") == text.count("list<s16>")


def test_the_command_refuses(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "p.wasm"
    file.write_bytes(sharing(40))
    ran = run("wit", file)
    assert ran.code == 2
    assert "too long to be written out" in ran.err
    assert run("wit", "--json", file).code == 0


def test_a_long_name_that_is_used_everywhere_is_refused() -> None:
    name = "a" * 50_000
    body = f'(type $r (record (field "x" u8)))(export "{name}" (type $n (eq $r)))(type $f (func (param "x" $n)))'
    exports = "".join(f'(export "f{i}" (func (type $f)))' for i in range(1000))
    with pytest.raises(TooLongError):
        print_resolution(decode(package(body + exports)))


def test_worlds_are_refused_in_each_of_their_texts() -> None:
    resolution = parse_text("package a:b; world w { import f: func(x: u8); }")
    world = resolution.world()
    next(f for f in world.imports.values() if hasattr(f, "params")).params[0].type = pairs(40)
    for write in (print_world, world_document):
        with pytest.raises(TooLongError):
            write(world)


DEEP = pairs(60)
FUNC = FuncType((Param("a", U8), Param("x", DEEP)), ResultType(DEEP, OptionType(DEEP)))
MANY = FuncType(tuple(Param(f"p{i}", pairs(5)) for i in range(1000)))
NAMES = EnumType(tuple(f"n{i}" * 10_000 for i in range(100)))


@pytest.mark.parametrize("t", [FUNC, MANY], ids=["deep", "many"])
def test_functions_are_cut_for_people(t: FuncType) -> None:
    for text in (repr(t), func_text(t), describe_func(t)):
        assert len(text) <= MOST_SHOWN * 3
        assert "…" in text
    assert "more parameters" in func_text(MANY)
    assert "more parameters" in describe_func(MANY) or "more characters" in describe_func(MANY)
    assert func_text(FUNC).startswith("func(a: u8, x: tuple<… over 1,000,000,000,000 parts>) -> result<… ")


@pytest.mark.parametrize("t", [DEEP, pairs(30), NAMES, RecordType((Field("n", NAMES), Field("d", DEEP)))], ids=str)
def test_types_are_cut_for_people(t: ValType) -> None:
    for text in (repr(t), type_text(t), describe(t)):
        assert len(text) <= MOST_SHOWN
        assert "…" in text


def test_what_is_missing_is_said() -> None:
    assert repr(pairs(30)).endswith(f"… of {2**31 - 1:,} parts")
    assert type_text(pairs(30)) == f"tuple<… {2**31 - 1:,} parts>"
    assert repr(Param("x", pairs(30))).endswith(f"… of {2**31:,} parts")
    assert cut("x" * READABLE) == "x" * READABLE
    assert cut("x" * (READABLE + 1)) == "x" * READABLE + "… and 1 more character"


def test_short_types_are_shown_in_full() -> None:
    t = FuncType((Param("a", TupleType((U8,))),), ResultType(None, pairs(1)))
    assert repr(t) == (
        "FuncType(params=(Param(name='a', type=TupleType(items=(Prim(name='u8'),))),), "
        "result=ResultType(ok=None, err=TupleType(items=(Prim(name='u8'), Prim(name='u8')))), is_async=False)"
    )
    assert func_text(t) == "func(a: tuple<u8>) -> result<_, tuple<u8, u8>>"
    assert repr(FuncType()) == "FuncType(params=(), result=None, is_async=False)"


def test_each_use_takes_room_and_what_is_new_adds_to_it() -> None:
    texts = Texts(room=100)
    made: list[str] = []

    def make() -> str:
        made.append("x" * 10)
        return made[-1]

    for _ in range((100 + OF_OWN * 10) // 10):
        assert texts.of("key", make) == "x" * 10
    assert len(made) == 1
    with pytest.raises(TooLongError):
        texts.of("key", make)
    assert Texts(room=0).line("x" * OF_LINE) == "x" * OF_LINE
    with pytest.raises(TooLongError):
        Texts(room=0).line("x" * (OF_LINE + 1))
