"""Types in words: whole where they are short, and a level less rather than a text without end."""

from __future__ import annotations

import pytest

from wippywasm.model import (
    STRING,
    U32,
    EnumType,
    Field,
    FuncType,
    ListType,
    OptionType,
    Param,
    RecordType,
    TupleType,
    ValType,
)
from wippywasm.plan.describe import describe, describe_func

USER = RecordType((Field("id", U32), Field("tags", ListType(STRING))))


def wide(of: ValType) -> RecordType:
    return RecordType(tuple(Field(f"f{n}", of) for n in range(20)))


def test_a_short_type_is_said_four_levels_deep() -> None:
    assert describe(ListType(OptionType(USER))) == "list<option<record { id: u32, tags: list<string> }>>"
    assert describe(TupleType((ListType(ListType(ListType(OptionType(U32)))),))) == "tuple<list<list<list<…>>>>"
    assert describe(None) == "_"


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_a_type_of_many_parts_is_said_in_less_depth(levels: int) -> None:
    t = wide(U32)
    for _ in range(levels - 1):
        t = wide(t)
    words = ", ".join(f"f{n}: …" for n in range(16))
    assert describe(t) == f"record {{ {words}, … }}"


def test_all_parameters_have_one_depth() -> None:
    both = FuncType((Param("a", USER), Param("b", wide(wide(U32)))), U32)
    assert describe_func(both).startswith("func(a: record { id: u32, tags: … }, b: record { f0: …, ")
    assert describe_func(FuncType((Param("a", USER),), USER)).count("list<string>") == 2


def test_names_count_as_parts() -> None:
    colours = EnumType(tuple(f"c{n}" for n in range(16)))
    assert "enum { c0," in describe(ListType(colours))
    assert describe(wide(colours)) == f"record {{ {', '.join(f'f{n}: …' for n in range(16))}, … }}"
