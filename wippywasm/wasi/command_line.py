"""`wasi:cli`: what a program on a command line has around it.

In: arguments, variables, standard streams. Out: the interfaces.

Spec: `wasi:cli`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from wippywasm.errors import GuestExit
from wippywasm.instance.offered import HostInterface
from wippywasm.values import Err, Ok
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.stdio import Stdin as Input
from wippywasm.wasi.stdio import Stdout as Output
from wippywasm.wasi.streams import InputStream, OutputStream


class Environment(HostInterface):
    """`wasi:cli/environment`."""

    wit = "wasi:cli/environment"

    def __init__(self, args: Sequence[str], env: Callable[[], list[tuple[str, str]]], cwd: str | None) -> None:
        self._args = list(args)
        self._env = env
        self._cwd = cwd

    def get_environment(self) -> list[tuple[str, str]]:
        return self._env()

    def get_arguments(self) -> list[str]:
        return self._args

    def initial_cwd(self) -> str | None:
        return self._cwd


class Exit(HostInterface):
    """`wasi:cli/exit`."""

    wit = "wasi:cli/exit"

    def exit(self, status: Ok | Err) -> NoReturn:
        raise GuestExit(0 if isinstance(status, Ok) else 1)

    def exit_with_code(self, status_code: int) -> NoReturn:
        raise GuestExit(status_code)


class Stdin(HostInterface):
    """`wasi:cli/stdin`: each stream reads from the same input."""

    wit = "wasi:cli/stdin"

    def __init__(self, stdin: Input) -> None:
        self._stdin = stdin

    def get_stdin(self) -> InputStream:
        return InputStream(self._stdin.source, keep=True)


class Stdout(HostInterface):
    """`wasi:cli/stdout`: each stream writes to the same output."""

    wit = "wasi:cli/stdout"

    def __init__(self, stdout: Output) -> None:
        self._stdout = stdout

    def get_stdout(self) -> OutputStream:
        return OutputStream(self._stdout.sink, keep=True)


class Stderr(HostInterface):
    """`wasi:cli/stderr`."""

    wit = "wasi:cli/stderr"

    def __init__(self, stderr: Output) -> None:
        self._stderr = stderr

    def get_stderr(self) -> OutputStream:
        return OutputStream(self._stderr.sink, keep=True)


class Terminal(Handle):
    """The `terminal-input` or `terminal-output` resource; there is nothing to ask of it."""


class TerminalInput(HostInterface):
    """`wasi:cli/terminal-input`."""

    wit = "wasi:cli/terminal-input"

    terminal_input = Terminal


class TerminalOutput(HostInterface):
    """`wasi:cli/terminal-output`."""

    wit = "wasi:cli/terminal-output"

    terminal_output = Terminal


class TerminalStdin(HostInterface):
    """`wasi:cli/terminal-stdin`."""

    wit = "wasi:cli/terminal-stdin"

    def __init__(self, stdin: Input) -> None:
        self._is_terminal = stdin.is_terminal

    def get_terminal_stdin(self) -> Terminal | None:
        return Terminal() if self._is_terminal else None


class TerminalStdout(HostInterface):
    """`wasi:cli/terminal-stdout`."""

    wit = "wasi:cli/terminal-stdout"

    def __init__(self, stdout: Output) -> None:
        self._is_terminal = stdout.is_terminal

    def get_terminal_stdout(self) -> Terminal | None:
        return Terminal() if self._is_terminal else None


class TerminalStderr(HostInterface):
    """`wasi:cli/terminal-stderr`."""

    wit = "wasi:cli/terminal-stderr"

    def __init__(self, stderr: Output) -> None:
        self._is_terminal = stderr.is_terminal

    def get_terminal_stderr(self) -> Terminal | None:
        return Terminal() if self._is_terminal else None
