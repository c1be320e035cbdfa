"""From any way a command can end to its exit code.

In: exceptions. Out: one message on standard error and a code: 0 fine, 1 it failed while running, 2 the definition,
the command line or a file that it names is wrong, 130 interrupted, 141 nobody reads our output. Spec: SPEC section 13.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from wippywasm.app.output_lost import OutputLost
from wippywasm.cli.output import error_text, say, say_error, styled, tame
from wippywasm.cli.settings import Settings
from wippywasm.errors import DefinitionError, GuestExit, InvalidError, WippyError

_NO_ARGUMENTS = getattr(click.exceptions, "NoArgsIsHelpError", ())  # click before 8.2 prints the help itself
FAILED, MISUSED, INTERRUPTED, UNREAD = 1, 2, 130, 141
LARGEST_STATUS = 255


class UsageFailure(Exception):
    """An error of whoever typed the command, not of what it ran; `error` says which."""

    def __init__(self, error: WippyError) -> None:
        super().__init__(error.message)
        self.error = error


class Finished(Exception):
    """The command is done and wants this exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@contextmanager
def blaming_the_user() -> Iterator[None]:
    """What fails inside is a wrong use of the command: exit code 2."""
    try:
        yield
    except WippyError as error:
        raise UsageFailure(error) from error


@contextmanager
def naming(file: str | os.PathLike[str]) -> Iterator[None]:
    """For a command that takes several files: what is wrong with this one begins with its name."""
    try:
        yield
    except InvalidError as error:
        name = os.fspath(file)
        if name in error.message:
            raise
        raise InvalidError(f"{name}: {error_text(error)}", hint=error.hint, details=error.details) from error


def exit_code(command: Callable[[], object], settings: Settings) -> int:
    """Run a command to its end; no exception leaves this function."""
    try:
        command()
        sys.stdout.flush()
    except (OSError, OutputLost) as error:
        return _tell_lost_output(error.reason if isinstance(error, OutputLost) else error)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BaseException as error:  # noqa: BLE001  the last line of defence, and it tells
        return _tell(error, settings)
    return 0


def _tell(error: BaseException, settings: Settings) -> int:
    if settings.verbosity >= 2 and not isinstance(error, Finished | click.exceptions.Exit):
        say("".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip())
    match error:
        case Finished(code=code):
            return code
        case GuestExit(code=code):
            return min(code, LARGEST_STATUS)  # preview 1 has codes of 32 bits, and 256 would be told as 0
        case click.exceptions.Exit(exit_code=code):
            return int(code)
        case UsageFailure(error=cause):
            say_error(cause, is_json=settings.is_json)
            return MISUSED
        case DefinitionError():
            say_error(error, is_json=settings.is_json)
            return MISUSED
        case WippyError():
            say_error(error, is_json=settings.is_json)
            return FAILED
        case click.ClickException():
            return _tell_click(error, settings)
        case _:
            return _tell_bug(error)


def _tell_click(error: click.ClickException, settings: Settings) -> int:
    if isinstance(error, _NO_ARGUMENTS):
        say(error.format_message())
        return MISUSED
    failure = WippyError(error.format_message(), hint=_usage_hint(error))
    say_error(failure, is_json=settings.is_json)
    return MISUSED


def _usage_hint(error: click.ClickException) -> str | None:
    context = getattr(error, "ctx", None)
    return f"see '{context.command_path} --help'" if context is not None else None


def _tell_bug(error: BaseException) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    text = f"{type(error).__name__}: {error}"[:1000]
    say(f"{styled('error:', sys.stderr, fg='red', bold=True)} unexpected {tame(text)}")
    say("  this is a fault of wippywasm or of a host function; '-v -v' shows where")
    return FAILED


def _tell_lost_output(error: OSError) -> int:
    """Of all that a command does, only writing its output lets an `OSError` come this far."""
    _drop_stdout()
    if isinstance(error, BrokenPipeError):
        return UNREAD
    say(f"{styled('error:', sys.stderr, fg='red', bold=True)} can't write to standard output: {error.strerror}")
    return FAILED


def _drop_stdout() -> None:
    """Let nothing more be written, or Python complains at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass
