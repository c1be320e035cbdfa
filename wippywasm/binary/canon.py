"""Bytes → canonical definitions: lift, lower, resource built-ins; the other built-ins are in `canon_builtins`.

In: a `Reader` at a `canon`, the scope of its component. Out: the scope, with the new function.
Spec: component-model `Binary.md` and `CanonicalABI.md`, canonical definitions.
"""

from __future__ import annotations

from wippywasm.binary import features as gates
from wippywasm.binary.canon_builtins import read_builtin
from wippywasm.binary.canon_options import Options, check_signature, read_options
from wippywasm.binary.component import CanonLift, CanonLower, CanonResource
from wippywasm.binary.core_types import print_func
from wippywasm.binary.limits import OF_FUNCTION
from wippywasm.binary.nodes import FuncNode, ResNode
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import Scope, at
from wippywasm.core import CoreFuncType
from wippywasm.errors import ValidationError
from wippywasm.layout import (
    MAX_FLAT_ASYNC_PARAMS,
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    flatten_functype,
    flatten_params,
    flatten_type,
    needs_memory,
    params_need_memory,
)
from wippywasm.model import FuncType

LIFT, LOWER, RESOURCE_NEW, RESOURCE_DROP, RESOURCE_REP = range(5)
FUNC_SORT = 0x00


def read_canon(scope: Scope, reader: Reader) -> None:
    """A canonical definition."""
    offset = reader.pos
    code = reader.byte()
    if code not in (RESOURCE_NEW, RESOURCE_DROP, RESOURCE_REP):
        scope.context.budget.define(OF_FUNCTION, offset)
    if code == LIFT:
        _read_func_sort(reader, "lift")
        _read_lift(scope, reader, offset)
    elif code == LOWER:
        _read_func_sort(reader, "lower")
        _read_lower(scope, reader, offset)
    elif code in (RESOURCE_NEW, RESOURCE_DROP, RESOURCE_REP):
        _read_resource(scope, reader, code, offset)
    else:
        read_builtin(scope, reader, code, offset)


def _read_func_sort(reader: Reader, what: str) -> None:
    offset = reader.pos
    sort = reader.byte()
    if sort != FUNC_SORT:
        raise reader.bad_byte(sort, f"canonical function {what}", offset)


# ---- lift -----------------------------------------------------------------------------------------------------------


def _read_lift(scope: Scope, reader: Reader, offset: int) -> None:
    index = reader.u32()
    options = read_options(scope, reader)
    node = scope.type_of(FuncNode, reader.u32(), offset)
    core = at(scope.core_funcs, index, "core func", offset)
    scope.context.flattened(node.type, offset)
    _check_async(options, node.type)
    if "async" in options.given and "callback" not in options.given:
        scope.context.require(gates.STACKFUL, "lifting with `async` but without `callback`", offset)
    expected = flatten_functype(node.type, "lift", abi=_abi(options))
    _require_for_lift(options, node.type)
    if "post-return" in options.given:
        check_signature(scope, options, "post-return", CoreFuncType(core.results, ()))
    _check_core_type(core, expected, offset)
    scope.add(node, offset)
    scope.define(CanonLift(offset, index, node.type, options.public))


def _check_async(options: Options, type: FuncType) -> None:
    if "async" in options.given and not type.is_async:
        raise options.fail("the `async` canonical option requires an async function type")


def _abi(options: Options) -> str:
    """What `flatten_functype` calls the way in which a function is called."""
    if "async" not in options.given:
        return "sync"
    return "callback" if "callback" in options.given else "async"


def _flat_results(type: FuncType) -> int:
    return 0 if type.result is None else len(flatten_type(type.result))


def _require_for_lift(options: Options, type: FuncType) -> None:
    """Arguments are lowered into the guest: what is passed by pointer is allocated there."""
    most = MAX_FLAT_PARAMS if "async" in options.given else MAX_FLAT_RESULTS
    allocates = params_need_memory(type) or len(flatten_params(type)) > MAX_FLAT_PARAMS
    returns_pointer = type.result is not None and needs_memory(type.result)
    if allocates or returns_pointer or _flat_results(type) > most:
        options.require("memory")
    if allocates:
        options.require("realloc")


def _check_core_type(core: CoreFuncType, expected: CoreFuncType, offset: int) -> None:
    if core.params != expected.params:
        what = "parameter"
    elif core.results != expected.results:
        what = "result"
    else:
        return
    raise ValidationError(
        f"lowered {what} types do not match {what} types of the core function: "
        f"expected {print_func(expected)}, found {print_func(core)}",
        offset,
    )


# ---- lower ----------------------------------------------------------------------------------------------------------


def _read_lower(scope: Scope, reader: Reader, offset: int) -> None:
    index = reader.u32()
    options = read_options(scope, reader)
    node = at(scope.funcs, index, "func", offset)
    options.refuse("post-return", "lowerings")
    options.refuse("callback", "lowerings")
    scope.context.flattened(node.type, offset)
    _check_async(options, node.type)
    _require_for_lower(options, node.type)
    core = flatten_functype(node.type, "lower", abi=_abi(options))
    scope.add_core(core, offset)
    scope.define(CanonLower(offset, index, node.type, options.public, core))


def _require_for_lower(options: Options, type: FuncType) -> None:
    """Results are lowered into the guest: what is passed by pointer is allocated there."""
    is_async = "async" in options.given
    params, results = len(flatten_params(type)), _flat_results(type)
    allocates = type.result is not None and needs_memory(type.result)
    reads = params_need_memory(type)
    spills = params > (MAX_FLAT_ASYNC_PARAMS if is_async else MAX_FLAT_PARAMS)
    spills = spills or results > (0 if is_async else MAX_FLAT_RESULTS)
    if allocates or reads or spills:
        options.require("memory")
    if allocates:
        options.require("realloc")


# ---- resources ------------------------------------------------------------------------------------------------------


def _read_resource(scope: Scope, reader: Reader, code: int, offset: int) -> None:
    index = reader.u32()
    resource = scope.type_of(ResNode, index, offset).type
    rep = scope.local_resources.get(resource)
    if code != RESOURCE_DROP and rep is None:
        raise ValidationError(f"type index {index} is not a local resource", offset)
    types = {
        RESOURCE_NEW: ("resource.new", CoreFuncType(("i32",), ("i32",))),
        RESOURCE_DROP: ("resource.drop", CoreFuncType(("i32",), ())),
        RESOURCE_REP: ("resource.rep", CoreFuncType(("i32",), ("i32",))),
    }
    operation, core = types[code]
    scope.add_core(core, offset)
    scope.define(CanonResource(offset, operation, resource))
