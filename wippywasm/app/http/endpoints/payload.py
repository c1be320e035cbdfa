"""Endpoints in wasm that know nothing of HTTP: the body becomes the arguments, the result becomes the response.

In: an exchange. Out: a reply. Arguments that do not fit are refused before the guest runs, with the path to what is
wrong. Spec: SPEC section 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wippywasm.app.http.callee import Callee
from wippywasm.app.http.exchange import Exchange
from wippywasm.app.http.problems import BadRequestError
from wippywasm.app.http.respond import reply_error, reply_result
from wippywasm.app.json_values.from_json import arguments_from_json, value_from_json
from wippywasm.app.json_values.text import parse_json
from wippywasm.app.suggest import did_you_mean
from wippywasm.errors import InvalidError, WitError
from wippywasm.model import STRING, U8, FuncType, ListType, OptionType, structural_func
from wippywasm.plan.describe import describe_func

_MISSING = object()


class PayloadEndpoint:
    """Calls a wasm function with what the body says."""

    def __init__(self, app: Callee, func: str, signature: FuncType) -> None:
        self._app = app
        self._func = func
        self._signature = signature

    async def __call__(self, exchange: Exchange) -> None:
        self._app.check_room(self._func)
        body = await exchange.body.whole()
        try:
            args = arguments(self._signature, body)
        except InvalidError as error:
            raise BadRequestError(error.message, hint=error.hint) from None
        try:
            result = await self._app.call(self._func, *args)
        except WitError as error:
            return await reply_error(exchange.reply, self._signature, error)
        return await reply_result(exchange.reply, self._signature, result)


def arguments(signature: FuncType, body: bytes) -> Sequence[Any]:
    """The arguments that a body stands for; raises InvalidError where it stands for none that fit."""
    params = structural_func(signature).params
    if not body:
        return arguments_from_json("the function", signature, [])
    if len(params) == 1 and params[0].type in (STRING, ListType(U8)):
        return [_text(body) if params[0].type == STRING else body]
    if not params:
        return []
    value = parse_json(_text(body), "the body")
    if isinstance(value, list):
        return arguments_from_json("the function", signature, value)
    if isinstance(value, dict):
        return _by_name(signature, value)
    raise InvalidError("the body is neither a JSON array nor a JSON object", hint=_usage(signature))


def _by_name(signature: FuncType, values: Mapping[str, Any]) -> Sequence[Any]:
    """Each parameter by its name, in either spelling; an option that is left out is none."""
    params = structural_func(signature).params
    named = {name.replace("_", "-"): value for name, value in values.items()}
    unknown = named.keys() - {p.name for p in params}
    if unknown:
        name = min(unknown)
        near = did_you_mean(name, [p.name for p in params])
        raise InvalidError(f"there is no parameter '{name:.100}'", hint=near or _usage(signature))
    args = []
    for param in params:
        value = named.get(param.name, None if isinstance(param.type, OptionType) else _MISSING)
        if value is _MISSING:
            raise InvalidError(f"the parameter '{param.name}' is missing", hint=_usage(signature))
        args.append(value_from_json(param.type, value, param.name))
    return args


def _usage(signature: FuncType) -> str:
    return f"the function is {describe_func(signature)}"


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidError(f"the body is not UTF-8: byte {body[error.start]:#04x} at {error.start}") from None
