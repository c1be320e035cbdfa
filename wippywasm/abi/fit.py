"""What happens to a value that generated code did not take at first sight.

In: a type and any Python value. Out: the same value in the form that generated code takes, or a `ValueMismatchError`
with the path to the part that does not fit. This is the slow path: values here are unusual or wrong.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from wippywasm.abi import host_values as hv
from wippywasm.abi.classes import ClassRecord, ClassVariant
from wippywasm.abi.keywords import snake
from wippywasm.abi.parts import numbers_of
from wippywasm.abi.shapes import FORMATS, NUMBERS, RANGES
from wippywasm.abi.signature import MISSING, Signature, show, show_type, wrong_count
from wippywasm.errors import InternalError, ValueMismatchError, counted
from wippywasm.layout import MAX_LIST_BYTE_LENGTH, MAX_STRING_BYTE_LENGTH, elem_size
from wippywasm.model import (
    BorrowType,
    Case,
    EnumType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Err, Ok, Some, Variant

CHANGED = "it changed while it was read"


def arguments_that_fit(signature: Signature, tried: bool, args: Sequence[Any], scope: Any) -> list[Any]:
    """The arguments in the form that generated code takes; `tried` says that these already come from here."""
    params = signature.type.params
    given = sum(a is not MISSING for a in args)
    if given < len(params):
        wrong_count(signature, given)
    fitted = [fit(p.type, a, p.name, scope) for p, a in zip(params, args)]
    if tried:
        raise InternalError(f"{signature.name}: arguments that fit were refused: {signature.show()}")
    return fitted


def result_that_fits(signature: Signature, tried: bool, value: Any, scope: Any) -> Any:
    """The same for what a host function returned."""
    assert signature.type.result is not None
    fitted = fit(signature.type.result, value, f"result of {signature.name}", scope)
    if tried:
        raise InternalError(f"{signature.name}: a result that fits was refused")
    return fitted


def fit(t: ValType, value: Any, path: str, scope: Any = None) -> Any:
    """The value in the form that generated code takes, or a `ValueMismatchError`."""
    if value is MISSING:
        refuse(t, value, path)
    match t:
        case Prim():
            return _PRIMS[t.name](t, value, path)
        case ListType() | MapType():
            return _fit_list(t, value, path, scope)
        case RecordType():
            return _fit_record(t, value, path, scope)
        case TupleType():
            return _fit_tuple(t, value, path, scope)
        case VariantType():
            return _fit_variant(t, value, path, scope)
        case OptionType():
            return _fit_option(t, value, path, scope)
        case ResultType():
            return _fit_result(t, value, path, scope)
        case EnumType():
            return _fit_enum(t, value, path)
        case FlagsType():
            return _fit_flags(t, value, path)
        case OwnType() | BorrowType():
            return _fit_handle(t, value, path, scope)
    return refuse(t, value, path)


def refuse(t: ValType | str, value: Any, path: str, *, hint: str | None = None) -> NoReturn:
    """Raise the error for a value that does not fit."""
    expected = t if isinstance(t, str) else show_type(t)
    raise ValueMismatchError(path, expected, show(value), hint=hint) from None


# ---- leaves -------------------------------------------------------------------------------------------------------


def _fit_int(t: Prim, value: Any, path: str) -> int:
    low, high = RANGES[t.name]
    if isinstance(value, bool):
        refuse(t, value, path)
    try:
        number = int(operator.index(value))
    except TypeError:
        refuse(t, value, path)
    if not low <= number <= high:
        refuse(f"{t.name} ({low} to {high})", value, path)
    return number


def _fit_float(t: Prim, value: Any, path: str) -> float:
    try:
        number = hv.as_float(value)
        if t.name == "f32" and not -hv.F32_LIMIT < number < hv.F32_LIMIT:
            number = hv.edge_f32(number)
    except (hv.Misfit, TypeError, ValueError, OverflowError):
        refuse(t, value, path)
    return number


def _fit_bool(t: Prim, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        refuse(t, value, path)
    return value


def _fit_char(t: Prim, value: Any, path: str) -> str:
    if not isinstance(value, str) or len(value) != 1 or "\ud800" <= value <= "\udfff":
        refuse("char (a str of one Unicode scalar value)", value, path)
    return str(value)


def _fit_string(t: Prim, value: Any, path: str) -> str:
    if not isinstance(value, str):
        refuse(t, value, path)
    try:
        size = len(value.encode())
    except UnicodeEncodeError as e:
        refuse("string without lone surrogates", value, path, hint=f"character {e.start} is {value[e.start]!r}")
    if 2 * size > MAX_STRING_BYTE_LENGTH and max(size, 2 * len(value)) > MAX_STRING_BYTE_LENGTH:
        refuse(f"string of at most {MAX_STRING_BYTE_LENGTH} bytes", value, path)
    return str(value)


def _fit_unsupported(t: Prim, value: Any, path: str) -> NoReturn:
    refuse(t, value, path, hint="values of this type do not cross to or from Python yet")


_PRIMS: dict[str, Callable[[Prim, Any, str], Any]] = {
    **dict.fromkeys(RANGES, _fit_int),
    "f32": _fit_float,
    "f64": _fit_float,
    "bool": _fit_bool,
    "char": _fit_char,
    "string": _fit_string,
    "error-context": _fit_unsupported,
}


def _fit_enum(t: EnumType, value: Any, path: str) -> str:
    if not isinstance(value, str) or value not in numbers_of(t):
        refuse(t, value, path)
    return value


def _fit_flags(t: FlagsType, value: Any, path: str) -> set[str]:
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        refuse(t, value, path)
    try:
        names = hv.snapshot(value)
    except hv.Misfit:
        refuse(t, value, path, hint=CHANGED)
    for name in names:
        if not isinstance(name, str) or name not in t.names:
            refuse(t, value, path, hint=f"there is no flag {show(name)}")
    return set(names)


def _fit_handle(t: OwnType | BorrowType, value: Any, path: str, scope: Any) -> Any:
    problem = scope.problem(value, t)
    if problem is not None:
        refuse(t, value, path, hint=problem)
    return value


# ---- aggregates ---------------------------------------------------------------------------------------------------


def _fit_list(t: ListType | MapType, value: Any, path: str, scope: Any) -> Any:
    if isinstance(t, MapType):
        return _fit_map(t, value, path, scope)
    is_number = isinstance(t.element, Prim) and t.element.name in NUMBERS
    try:
        if is_number and isinstance(value, bytes | bytearray | memoryview):
            items: Sequence[Any] = memoryview(value).tolist()
        else:
            items = hv.as_sequence(value)
    except (hv.Misfit, NotImplementedError):  # a view's format may be one that Python has no items for
        refuse(t, value, path)
    except ValueError:
        if not isinstance(value, memoryview):
            raise
        refuse(t, value, path, hint="the view is released")
    _check_count(t, len(items), path)
    fitted = [fit(t.element, item, f"{path}[{i}]", scope) for i, item in enumerate(items)]
    if is_number and t.length is None:
        assert isinstance(t.element, Prim)
        hv.pack_numbers(fitted, FORMATS[t.element.name])
    return fitted


def _check_count(t: ListType, count: int, path: str) -> None:
    if t.length is not None and count != t.length:
        raise ValueMismatchError(path, show_type(t), counted(count, "element")) from None
    if t.length is None and count * elem_size(t.element) > MAX_LIST_BYTE_LENGTH:
        expected = f"{show_type(t)} of at most {MAX_LIST_BYTE_LENGTH} bytes"
        raise ValueMismatchError(path, expected, counted(count, "element")) from None


def _fit_map(t: MapType, value: Any, path: str, scope: Any) -> list[tuple[Any, Any]]:
    try:
        pairs = hv.as_pairs(value)
    except (hv.Misfit, TypeError, ValueError):
        refuse(t, value, path, hint=None if not isinstance(value, Mapping) else CHANGED)
    return [
        (fit(t.key, k, f"{path}[{show(k)}]", scope), fit(t.value, v, f"{path}[{show(k)}]", scope)) for k, v in pairs
    ]


def _fit_record(t: RecordType, value: Any, path: str, scope: Any) -> dict[str, Any]:
    found = {}
    if isinstance(t, ClassRecord) and isinstance(value, t.cls):
        value = {f.name: getattr(value, a, MISSING) for f, a in zip(t.fields, t.attributes)}
    for f in t.fields:
        item = _field(value, f.name)
        if item is MISSING:
            if not isinstance(value, Mapping) and not any(_field(value, g.name) is not MISSING for g in t.fields):
                refuse(t, value, path)
            refuse(t, value, path, hint=f"field `{f.name}` is missing")
        found[f.name] = fit(f.type, item, f"{path}.{f.name}", scope)
    if isinstance(value, Mapping):
        _check_unknown(t, value, path)
    return found


def _field(value: Any, name: str) -> Any:
    attribute = snake(name)
    if isinstance(value, Mapping):
        try:
            return value[name] if name in value else value.get(attribute, MISSING)
        except KeyError:  # it was removed meanwhile
            return MISSING
    return getattr(value, attribute, MISSING)


def _check_unknown(t: RecordType, value: Mapping[Any, Any], path: str) -> None:
    known = {f.name for f in t.fields} | {snake(f.name) for f in t.fields}
    try:
        keys = hv.snapshot(value)
    except hv.Misfit:
        refuse(t, value, path, hint=CHANGED)
    for key in keys:
        if key not in known:
            refuse(t, value, path, hint=f"field {key!r} is unknown")
    if len(keys) != len(t.fields):
        refuse(t, value, path, hint="a field is given in two spellings")


def _fit_tuple(t: TupleType, value: Any, path: str, scope: Any) -> tuple[Any, ...]:
    try:
        items = hv.as_sequence(value)
    except hv.Misfit:
        refuse(t, value, path)
    if len(items) != len(t.items):
        refuse(t, value, path)
    return tuple(fit(x, item, f"{path}[{i}]", scope) for i, (x, item) in enumerate(zip(t.items, items)))


def _fit_option(t: OptionType, value: Any, path: str, scope: Any) -> Any:
    if value is None:
        return None
    if isinstance(t.type, OptionType):
        if not isinstance(value, Some):
            refuse(t, value, path, hint="where options nest, a present one is `Some(x)`")
        return Some(fit(t.type, value.value, path, scope))
    return fit(t.type, value, path, scope)


def _fit_payload(t: ValType, case: Case, value: Any, whole: Any, path: str, scope: Any) -> Any:
    if case.type is not None:
        return fit(case.type, value, f"{path}.{case.name}", scope)
    if value is not None:
        refuse(t, whole, path, hint="this case has no payload")
    return None


def _fit_result(t: ResultType, value: Any, path: str, scope: Any) -> Ok | Err:
    if isinstance(value, Ok):
        return Ok(_fit_payload(t, Case("ok", t.ok), value.value, value, path, scope))
    if isinstance(value, Err):
        return Err(_fit_payload(t, Case("err", t.err), value.value, value, path, scope))
    refuse(t, value, path, hint="give `Ok(x)` or `Err(x)`")


def _fit_variant(t: VariantType, value: Any, path: str, scope: Any) -> Variant:
    if isinstance(t, ClassVariant) and value.__class__ in t.classes:
        case = t.cases[t.classes.index(value.__class__)]
        payload = None if case.type is None else getattr(value, "value", MISSING)
        return Variant(case.name, _fit_payload(t, case, payload, value, path, scope))
    if not isinstance(value, Variant):
        refuse(t, value, path, hint=_variant_hint(t))
    number = numbers_of(t).get(value.case) if isinstance(value.case, str) else None
    if number is None:
        refuse(t, value, path, hint=f"it has no case {value.case!r}")
    case = t.cases[number]
    return Variant(case.name, _fit_payload(t, case, value.payload, value, path, scope))


def _variant_hint(t: VariantType) -> str:
    if not isinstance(t, ClassVariant):
        return "give `Variant(case, payload)`"
    names = [cls.__name__ for cls in t.classes[:6]]
    return f"give an object of {', '.join(names)}{' …' * (len(t.classes) > 6)}"
