"""`wippywasm call ID [JSON…]`: call one function and print what it answers.

In: an id and its arguments as JSON. Out: the result as JSON on standard output; the function's own error as JSON on
standard error and exit code 1. Spec: SPEC section 13.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from typing import Any

import click

from wippywasm.app.application import App
from wippywasm.app.json_values.from_json import arguments_from_json
from wippywasm.app.json_values.text import dump_json, parse_json
from wippywasm.app.json_values.to_json import value_to_json
from wippywasm.app.json_values.untyped import untyped_to_json
from wippywasm.cli.apps import load_app
from wippywasm.cli.failures import FAILED, Finished, blaming_the_user
from wippywasm.cli.output import print_json, say
from wippywasm.cli.settings import common_options, settings_of
from wippywasm.errors import InvalidError, WippyError, WitError
from wippywasm.model import FuncType, ResultType, ValType
from wippywasm.plan.describe import describe_func


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("id")
@click.argument("arguments", metavar="[JSON]...", nargs=-1, type=click.UNPROCESSED)
@common_options
@click.pass_context
def call(context: click.Context, id: str, arguments: tuple[str, ...]) -> None:
    """Call the function ID (namespace:name) and print its result as JSON.

    Each argument is one JSON value; text needs its quotes: '"World"'.
    """
    settings = settings_of(context)
    app = load_app(settings)
    with blaming_the_user():
        app.check_callable(id)
        values = read_arguments(app, id, arguments)
    try:
        result = call_once(app, id, values)
    except WitError as error:
        say_payload(app, id, error, is_json=settings.is_json)
        raise Finished(FAILED) from None
    print_json(result_json(app.signature(id), result))


def call_once(app: App, id: str, values: Sequence[Any]) -> Any:
    """Start the app, call one function, stop. SIGINT ends the process at once, even where a guest spins."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return asyncio.run(_call(app, id, values))
    finally:
        signal.signal(signal.SIGINT, before)


async def _call(app: App, id: str, values: Sequence[Any]) -> Any:
    async with app:
        return await app.call(id, *values)


def read_arguments(app: App, id: str, texts: Sequence[str]) -> list[Any]:
    """The arguments as Python values; an error says how the function is called."""
    signature = app.signature(id)
    try:
        values = [parse_json(text, f"argument {i}") for i, text in enumerate(texts, 1)]
        return values if signature is None else arguments_from_json(id, signature, values)
    except InvalidError as error:
        raise _with_signature(error, id, signature) from None


def _with_signature(error: InvalidError, id: str, signature: FuncType | None) -> WippyError:
    if signature is None or (error.hint and "func(" in error.hint):
        return error
    usage = f"{id} is {describe_func(signature)}"
    return InvalidError(error.message, hint=f"{error.hint}; {usage}" if error.hint else usage, details=error.details)


def result_json(signature: FuncType | None, result: Any) -> Any:
    """A result as JSON: the good half of a `result`, or the whole."""
    if signature is None:
        return untyped_to_json(result)
    return value_to_json(_half(signature, "ok"), result)


def say_payload(app: App, id: str, error: WitError, *, is_json: bool) -> None:
    """The function's own error on standard error, as JSON; with `is_json` in the form that all errors have then."""
    payload = error_payload(app.signature(id), error)
    if is_json:
        facts = {"kind": error.kind.value, "message": error.message, "hint": None, "details": {"payload": payload}}
        say(dump_json({"error": facts}))
    else:
        say(dump_json(payload))


def error_payload(signature: FuncType | None, error: WitError) -> Any:
    """The function's own error as JSON."""
    half = _half(signature, "err") if signature is not None else None
    return untyped_to_json(error.payload) if half is None else value_to_json(half, error.payload)


def _half(signature: FuncType, name: str) -> ValType | None:
    result = signature.result
    half: ValType | None = getattr(result, name) if isinstance(result, ResultType) else result
    return half
