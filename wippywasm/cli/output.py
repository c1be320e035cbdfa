"""Standard output and standard error, for people and for programs.

In: values, errors. Out: text; colours only where a terminal shows them and NO_COLOR is not set. Spec: SPEC section 13.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from wippywasm.app.json_values.text import dump_json
from wippywasm.app.json_values.untyped import untyped_to_json
from wippywasm.errors import DefinitionError, InvalidError, LuaError, Problem, Trap, WippyError, counted
from wippywasm.visible import visible, visible_json

_FRAMES = 10
_MAX_MESSAGE = 10_000
_ITEMS = 20
"""Of a JSON list, how many are written at once."""
_FEW = 16
"""A list of no more may be nearly all there is in one of its items, so each is written in pieces itself."""


def is_coloured(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, stream: TextIO, **style: Any) -> str:
    """`text` in a style of `click.style`, where the stream shows it."""
    return click.style(text, **style) if is_coloured(stream) else text


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def print_json(value: Any) -> None:
    """A JSON value: on one line, or laid out and coloured on a terminal."""
    if not sys.stdout.isatty():
        for piece in _json_pieces(value):
            sys.stdout.write(visible_json(piece))
        sys.stdout.write("\n")
        return
    from rich.console import Console
    from rich.highlighter import JSONHighlighter

    Console(soft_wrap=True).print(JSONHighlighter()(visible_json(dump_json(value, indent=2))))


def _json_pieces(value: Any, depth: int = 6) -> Iterator[str]:
    """JSON text piece by piece: as a whole it takes several times what it is of."""
    if depth and isinstance(value, dict):
        for number, (name, part) in enumerate(value.items()):
            yield f"{',' if number else '{'}{dump_json(name)}:"
            yield from _json_pieces(part, depth - 1)
        yield "}" if value else "{}"
    elif depth and isinstance(value, list) and len(value) <= _FEW:  # each may be nearly all
        for number, part in enumerate(value):
            yield "," if number else "["
            yield from _json_pieces(part, depth - 1)
        yield "]" if value else "[]"
    elif depth and isinstance(value, list):
        for start in range(0, len(value), _ITEMS):
            yield f"{',' if start else '['}{dump_json(value[start : start + _ITEMS])[1:-1]}"
        yield "]" if value else "[]"
    else:
        yield dump_json(value)


def json_line(value: Any) -> str:
    """A JSON value on one line, fit for a terminal: what can't be seen is escaped."""
    return visible_json(dump_json(value))


def print_columns(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> None:
    """Rows under their heads, each column as wide as its widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    print_line(styled(_row(heads, widths), sys.stdout, bold=True))
    for row in rows:
        print_line(_row(row, widths))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def tame(text: str) -> str:
    """Text from guests, programs and files, fit for a terminal: no control characters, and an end."""
    if len(text) > _MAX_MESSAGE:
        text = f"{text[:_MAX_MESSAGE]}… ({len(text):,} characters)"
    return visible(text)


def write_output(path: str, content: bytes) -> None:
    """Write a file, or standard output for `-`; raises InvalidError where the file can't be written."""
    if path == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise InvalidError(f"can't write {path!r}: {error.strerror}") from error
    say(f"wrote {len(content):,} bytes to {path}")


def say(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_problems(problems: Iterable[Problem], word: str) -> None:
    """A line for each problem, after its severity."""
    colour = "red" if word == "error" else "yellow"
    for problem in problems:
        say(f"{styled(f'{word}:', sys.stderr, fg=colour, bold=True)} {tame(problem.render())}")


def say_error(error: WippyError, *, is_json: bool) -> None:
    """One clear message: what failed, where in the guest, what to do."""
    if is_json:
        say(json_line(error_json(error)))
        return
    if isinstance(error, DefinitionError):
        say_problems(error.problems, "error")
        count = len(error.problems)
        say(f"{counted(count, 'problem')}; nothing was started")
        return
    say(f"{styled('error:', sys.stderr, fg='red', bold=True)} {tame(error_text(error))}")
    for line in _where(error):
        say(f"  {tame(line)}")
    if error.hint:
        say(f"  {styled('hint:', sys.stderr, fg='cyan')} {tame(error.hint)}")


def _where(error: WippyError) -> list[str]:
    """The innermost frames of a trap, or the lines of a Lua traceback below its heading."""
    if isinstance(error, Trap):
        return [f"at {frame.render()}" for frame in error.frames[:_FRAMES]]
    if isinstance(error, LuaError):
        return [f"at {line.strip()}" for line in error.traceback.splitlines()[1 : _FRAMES + 1]]
    return []


def error_text(error: WippyError) -> str:
    """The message, after the entry that failed, unless it starts with that anyway."""
    entry = error.details.get("entry")
    text = error.message if not entry or error.message.startswith(str(entry)) else f"{entry}: {error.message}"
    offset = getattr(error, "offset", None)
    return text if offset is None else f"{text} (at offset {offset:#x})"


def error_json(error: WippyError) -> dict[str, Any]:
    """`{"error": {kind, message, hint, details}}`, with `problems` for an app that is refused."""
    facts: dict[str, Any] = {"kind": error.kind.value, "message": error.message, "hint": error.hint}
    facts["details"] = _plain(error.details)
    if isinstance(error, DefinitionError):
        facts["message"] = f"the app has {counted(len(error.problems), 'problem')}"
        facts["problems"] = [problem_json(problem) for problem in error.problems]
    return {"error": facts}


def problem_json(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("path", "line", "entry", "field", "message", "hint")}


def _plain(details: Mapping[str, Any]) -> Any:
    try:
        return untyped_to_json(details)
    except InvalidError:
        return {name: str(value) for name, value in details.items()}
