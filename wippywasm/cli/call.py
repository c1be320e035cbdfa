"""`wippywasm call ID [VALUE…]`: call one function and print what it answers.

In: an id and its arguments as JSON or WAVE. Out: the result as JSON, or as WAVE, on standard output; the function's own
error likewise on standard error and exit code 1. Spec: SPEC section 13.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import click

from wippywasm.app.application import App
from wippywasm.app.text_values import arguments_from_texts, arguments_of_call, split_call
from wippywasm.cli.answers import print_result, print_wave, say_payload, say_wave, typed
from wippywasm.cli.apps import load_app
from wippywasm.cli.completion import complete_function
from wippywasm.cli.failures import FAILED, Finished, blaming_the_user
from wippywasm.cli.settings import common_options, log_option, settings_of
from wippywasm.errors import InvalidError, WippyError, WitError
from wippywasm.model import FuncType
from wippywasm.plan.describe import describe_func


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("function", metavar="ID", shell_complete=complete_function)
@click.argument("arguments", metavar="[VALUE]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--wave", "as_wave", is_flag=True, help="Print the result as WAVE, not as JSON.")
@log_option
@common_options
@click.pass_context
def call(context: click.Context, function: str, arguments: tuple[str, ...], as_wave: bool) -> None:
    """Call the function ID (namespace:name) and print its result as JSON.

    Each argument is one JSON or WAVE value; text needs its quotes: '"World"'. A call can be one WAVE text, too:
    'demo:compute(6, 7)'.
    """
    is_json = settings_of(context).is_json
    app = load_app(settings_of(context))
    with blaming_the_user():
        id, values = read_call(app, function, arguments)
        wave = typed(id, app.signature(id)) if as_wave else None
    try:
        result = call_once(app, id, values)
    except WitError as error:
        if wave is None or is_json:
            say_payload(app.signature(id), error, is_json=is_json)
        else:
            say_wave(wave, error)
        raise Finished(FAILED) from None
    if wave is None:
        print_result(app.signature(id), result)
    else:
        print_wave(wave, result)


def call_once(app: App, id: str, values: Sequence[Any]) -> Any:
    """Start the app, call one function, stop."""
    return asyncio.run(_call(app, id, values))


async def _call(app: App, id: str, values: Sequence[Any]) -> Any:
    async with app:
        return await app.call(id, *values)


def read_call(app: App, function: str, texts: Sequence[str]) -> tuple[str, list[Any]]:
    """The id and the arguments as Python values; an error says how the function is called."""
    id, written = split_call(function)
    app.check_callable(id)
    signature = app.signature(id)
    try:
        if written is None:
            return id, arguments_from_texts(id, signature, texts)
        if texts:
            raise InvalidError(f"{function!r} is a whole call: it takes no further arguments, got {texts[0]!r}")
        return id, arguments_of_call(id, signature, written)
    except InvalidError as error:
        raise _with_signature(error, id, signature) from None


def _with_signature(error: InvalidError, id: str, signature: FuncType | None) -> WippyError:
    if signature is None or "func(" in f"{error.hint}{error.message}":
        return error
    usage = f"{id} is {describe_func(signature)}"
    return InvalidError(error.message, hint=f"{error.hint}; {usage}" if error.hint else usage, details=error.details)
