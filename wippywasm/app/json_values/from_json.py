"""JSON to the Python values that functions take.

In: a JSON value and its WIT type. Out: a Python value of SPEC section 5, or `ValueMismatchError` with the path.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

from wippywasm.app.json_values.path import Path
from wippywasm.app.json_values.words import Words
from wippywasm.app.suggest import did_you_mean, listing
from wippywasm.errors import InvalidError, counted
from wippywasm.model import (
    F32,
    U8,
    EnumType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
    structural_func,
)
from wippywasm.plan.describe import describe_func
from wippywasm.values import Err, Ok, Some, Variant

_FLOAT_WORDS = {
    **dict.fromkeys(("nan", "NaN"), math.nan),
    **dict.fromkeys(("inf", "+inf", "Infinity"), math.inf),
    **dict.fromkeys(("-inf", "-Infinity"), -math.inf),
}


def arguments_from_json(name: str, type: FuncType, values: Sequence[Any]) -> list[Any]:
    """The arguments of a call; raises `InvalidError` for a wrong number of them."""
    check_count(name, type, len(values))
    return [value_from_json(p.type, value, p.name) for p, value in zip(structural_func(type).params, values)]


def check_count(name: str, type: FuncType, count: int) -> None:
    """Raise InvalidError where a function has another number of parameters."""
    params = type.params
    if count != len(params):
        raise InvalidError(
            f"{name} takes {counted(len(params), 'argument')}, got {count}",
            hint=f"it is {describe_func(type)}",
        )


def value_from_json(type: ValType, value: Any, name: str = "value") -> Any:
    """One value, called `name` in messages."""
    return _value(type, value, Path(name))


def _value(t: ValType, value: Any, path: Path) -> Any:
    match t:
        case Prim(name=name):
            return _prim(name, t, value, path)
        case ListType():
            return _list(t, value, path)
        case RecordType():
            return _record(t, value, path)
        case TupleType(items=items):
            array = _array(t, value, path, len(items))
            return tuple(_value(item, part, path.then(i)) for i, (item, part) in enumerate(zip(items, array)))
        case VariantType():
            return _variant(t, value, path)
        case EnumType(names=names):
            return _one_of(names, value, path) if isinstance(value, str) else path.refuse(t, value)
        case FlagsType():
            return _flags(t, value, path)
        case OptionType():
            return _option(t, value, path)
        case ResultType():
            return _result(t, value, path)
        case MapType():
            return _map(t, value, path)
        case _:
            raise path.misfit(t, value, "such a value can't be written as JSON")


def _prim(name: str, t: Prim, value: Any, path: Path) -> Any:
    if name == "bool":
        return value if isinstance(value, bool) else path.refuse(t, value)
    if name in ("f32", "f64"):
        return _float(t, value, path)
    if name == "string":
        return _text(value, path) if isinstance(value, str) else path.refuse(t, value)
    if name == "char":
        is_one = isinstance(value, str) and len(value) == 1
        return _text(value, path) if is_one else path.refuse("char (text of one character)", value)
    if name[0] in "su" and name[1:].isdigit():
        return _int(t, value, path)
    raise path.misfit(t, value, "such a value can't be written as JSON")


def _text(value: str, path: Path) -> str:
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise path.misfit("text without lone surrogates", value)
    return value


def _int(t: Prim, value: Any, path: Path) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise path.misfit(t, value)
    bits = int(t.name[1:])
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if t.name[0] == "s" else (0, 2**bits - 1)
    if not low <= value <= high:
        raise path.misfit(f"{t.name} ({low} to {high})", value)
    return int(value)


def _float(t: Prim, value: Any, path: Path) -> float:
    if isinstance(value, str) and value in _FLOAT_WORDS:
        return _FLOAT_WORDS[value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return _fitting(t, float(value))
        except OverflowError:
            pass
    raise path.misfit(t, value)


def _fitting(t: Prim, value: float) -> float:
    """Raises OverflowError for what a float of that width can't hold."""
    if t is F32 and math.isfinite(value):
        struct.pack("<f", value)
    return value


def _array(t: ValType, value: Any, path: Path, length: int | None) -> list[Any]:
    if not isinstance(value, list):
        raise path.misfit(t, value)
    if length is not None and len(value) != length:
        raise path.misfit(f"an array of {length}", value)
    return value


def _list(t: ListType, value: Any, path: Path) -> Any:
    if t.element is U8 and not isinstance(value, list):
        return _bytes(t, value, path)
    array = _array(t, value, path, t.length)
    return [_value(t.element, part, path.then(i)) for i, part in enumerate(array)]


def _bytes(t: ListType, value: Any, path: Path) -> bytes:
    if isinstance(value, str):
        data = _text(value, path).encode()
    elif isinstance(value, dict) and list(value) == ["base64"]:
        data = _base64(value["base64"], path.then("base64"))
    else:
        raise path.misfit('list<u8>: numbers, text, or {"base64": …}', value)
    if t.length is not None and len(data) != t.length:
        raise path.misfit(counted(t.length, "byte"), Words(counted(len(data), "byte")))
    return data


def _base64(value: Any, path: Path) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise path.misfit("base64", value) from None


def _record(t: RecordType, value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise path.misfit(t, value)
    names = {f.name: f.type for f in t.fields}
    given = {_wit_name(key, names): part for key, part in value.items()}
    unknown = next((key for key in given if key not in names), None)
    if unknown is not None:
        raise path.misfit(f"the fields {listing(names)}", Words(f"a field '{unknown}'"), did_you_mean(unknown, names))
    if len(given) != len(value):
        raise path.misfit(t, value, "a field is given twice, with '-' and with '_'")
    missing = [name for name, type in names.items() if name not in given and not isinstance(type, OptionType)]
    if missing:
        raise path.then(missing[0]).misfit(names[missing[0]], Words("nothing"))
    return {name: _value(type, given.get(name), path.then(name)) for name, type in names.items()}


def _wit_name(key: str, names: Any) -> str:
    dashed = key.replace("_", "-")
    return dashed if key not in names and dashed in names else key


def _one_of(names: Sequence[str], value: str, path: Path) -> str:
    name = _wit_name(value, names)
    if name not in names:
        raise path.misfit(f"one of {listing(names)}", value, did_you_mean(value, names))
    return name


def _variant(t: VariantType, value: Any, path: Path) -> Variant:
    cases = {c.name: c.type for c in t.cases}
    name, payload = _case(t, cases, value, path)
    type = cases[name]
    if type is None:
        if payload is not None:
            raise path.then(name).misfit("no payload", payload)
        return Variant(name)
    return Variant(name, _value(type, payload, path.then(name)))


def _case(t: VariantType, cases: dict[str, ValType | None], value: Any, path: Path) -> tuple[str, Any]:
    if isinstance(value, str):
        return _one_of(list(cases), value, path), None
    if isinstance(value, dict) and _is_tagged(value, cases):
        return _one_of(list(cases), value["tag"], path.then("tag")), value.get("value")
    if isinstance(value, dict) and len(value) == 1:
        name, payload = next(iter(value.items()))
        return _one_of(list(cases), name, path), payload
    raise path.misfit(t, value, 'write {"tag": "…", "value": …}')


def _is_tagged(value: dict[str, Any], cases: dict[str, ValType | None]) -> bool:
    """Whether an object has the form `{"tag": …, "value": …}` rather than being a case that is called `tag`."""
    if not (value.keys() <= {"tag", "value"} and isinstance(value.get("tag"), str)):
        return False
    return "value" in value or "tag" not in cases or _wit_name(value["tag"], cases) in cases


def _flags(t: FlagsType, value: Any, path: Path) -> set[str]:
    if isinstance(value, dict):
        for name, given in value.items():
            if not isinstance(given, bool):
                raise path.then(name).misfit("true or false", given)
        value = [name for name, given in value.items() if given]
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise path.misfit(t, value, "write an array of names")
    return {_one_of(t.names, name, path.then(i)) for i, name in enumerate(value)}


def _option(t: OptionType, value: Any, path: Path) -> Any:
    if value is None:
        return None
    if not isinstance(t.type, OptionType):
        return _value(t.type, value, path)
    if isinstance(value, dict) and list(value) == ["some"]:
        return Some(_value(t.type, value["some"], path.then("some")))
    raise path.misfit(t, value, 'options that nest are written null or {"some": …}')


def _result(t: ResultType, value: Any, path: Path) -> Ok | Err:
    halves: dict[str, tuple[Callable[[Any], Ok | Err], ValType | None]] = {"ok": (Ok, t.ok), "err": (Err, t.err)}
    name = value if isinstance(value, str) else next(iter(value), "") if isinstance(value, dict) else ""
    if name not in halves or (isinstance(value, dict) and len(value) != 1):
        raise path.misfit(t, value, 'write {"ok": …} or {"err": …}')
    make, type = halves[name]
    payload = value[name] if isinstance(value, dict) else None
    if type is None:
        return make(None) if payload is None else path.then(name).refuse("null", payload)
    return make(_value(type, payload, path.then(name)))


def _map(t: MapType, value: Any, path: Path) -> dict[Any, Any]:
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list):
        raise path.misfit(t, value, "write an object, or an array of [key, value]")
    done: dict[Any, Any] = {}
    for index, pair in enumerate(pairs):
        at = path.then(index)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise at.misfit("[key, value]", pair)
        done[_value(t.key, pair[0], at)] = _value(t.value, pair[1], at)
    return done
