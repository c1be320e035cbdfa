"""Every error that wippywasm raises, as one tree.

In: the facts of a failure (where, what, whose fault), as fields.
Out: exceptions whose message is rendered from those fields, with a hint on what to do.

    WippyError                      kind, details, retryable, hint
    ├── NotFoundError               NOT_FOUND
    │   └── NoAttributeError        an attribute that a guest does not export; an AttributeError, too
    ├── AlreadyExistsError          ALREADY_EXISTS
    ├── InvalidError                INVALID: the user's bytes, text, value or definition is wrong
    │   ├── BinaryError             offset in the bytes
    │   │   ├── MalformedError      not a component or module at all (grammar)
    │   │   └── ValidationError     well formed, but breaks a rule
    │   ├── WitDiagnosticsError     one or more diagnostics of WIT text
    │   ├── WatSyntaxError          WebAssembly text that does not parse
    │   ├── WaveSyntaxError         a value as text that does not parse or fit; position
    │   ├── ValueMismatchError      a value that does not fit its WIT type; value path
    │   ├── LinkError               an import that nothing satisfies, or not with that type
    │   ├── UnsupportedFeatureError the engine lacks what the module needs
    │   ├── TooLongError            types that are too long to be written out
    │   └── DefinitionError         problems of an app's definition files, all at once
    ├── PermissionDeniedError       PERMISSION_DENIED: a capability that was not granted
    ├── UnavailableError            UNAVAILABLE: closed, stopping, or full
    ├── InternalError               INTERNAL
    │   ├── Trap                    the guest trapped; code and backtrace
    │   │   └── LimitTrap           where a limit did not let it grow; budget
    │   ├── PoisonedError           the instance trapped before and can't be entered again
    │   └── LuaError                a Lua program failed; traceback
    ├── CanceledError               CANCELED
    ├── ConflictError               CONFLICT
    │   └── ThreadError             an object used from a thread that may not use it
    ├── TimedOutError               TIMEOUT
    ├── RateLimitedError            RATE_LIMITED
    ├── WitError                    the guest's own `err` value, as `payload`
    └── GuestExit                   the guest ended itself with an exit code
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from typing import Any

from wippywasm.dataclass import dataclass

MOST_SHOWN = 1_000
"""The characters of a value of a guest's that a message has, or of all names of a file's."""
MOST_OF_NAME = 200
"""The characters of a name of a file's that a message has."""
_LONG_NAME = re.compile(rf"(?<![^\s`'\"])(?!/)[^\s`'\"]{{{MOST_OF_NAME + 1},}}")
"""No path: of that, its end says more."""
_SPELLED = r"[a-z](\d|\.|s\.|\Z)|http"
"""Words of which the first letter is read by its name: `i32`, `fs.directory`, `http`."""


def counted(count: int, noun: str) -> str:
    """How many there are of what a regular noun names: `1 export`, `2,000 exports`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def with_short_names(message: str) -> str:
    """A message in which names from a file stand: these may be a hundred thousand characters long, and people read it.

    A message that was made of such messages stays as it is.
    """
    if len(message) <= MOST_OF_NAME:
        return message
    message = _LONG_NAME.sub(lambda name: f"{name[0][: MOST_OF_NAME - 1]}… ({len(name[0]):,} characters)", message)
    return message if len(message) <= 2 * MOST_SHOWN else _cut(message)


def with_article(noun: str) -> str:
    """The noun after `a` or `an`, by its sound: `an i32`, `an fs.directory`, `a u8`, `an env.variable`."""
    first = noun[:1].lower()
    if re.match(_SPELLED, noun, re.IGNORECASE):
        return f"{'an' if first in 'aefhilmnorsx' else 'a'} {noun}"
    vowel = first in "aeio" or (first == "u" and noun[:3].lower() not in ("uni", "use"))
    return f"{'an' if first and vowel else 'a'} {noun}"


class ErrorKind(enum.Enum):
    """The kinds a caller may act upon; the same names in Python and in Lua."""

    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    INVALID = "INVALID"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"
    CANCELED = "CANCELED"
    CONFLICT = "CONFLICT"
    TIMEOUT = "TIMEOUT"
    RATE_LIMITED = "RATE_LIMITED"
    UNKNOWN = "UNKNOWN"


class WippyError(Exception):
    """Base of all errors of this package.

    `kind` tells callers what they may do about it, `retryable` whether the same call may work later,
    `details` carries the facts as plain values, `hint` is one sentence on how to mend it.
    """

    kind: ErrorKind = ErrorKind.UNKNOWN
    retryable: bool = False

    def __init__(self, message: str, *, hint: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: dict[str, Any] = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class NotFoundError(WippyError):
    kind = ErrorKind.NOT_FOUND


class NoAttributeError(NotFoundError, AttributeError):
    """What Python's `hasattr`, and `getattr` with a default, take for an answer."""


class AlreadyExistsError(WippyError):
    kind = ErrorKind.ALREADY_EXISTS


class InvalidError(WippyError):
    kind = ErrorKind.INVALID


class PermissionDeniedError(WippyError):
    kind = ErrorKind.PERMISSION_DENIED


class UnavailableError(WippyError):
    kind = ErrorKind.UNAVAILABLE
    retryable = True


class InternalError(WippyError):
    kind = ErrorKind.INTERNAL


class CanceledError(WippyError):
    kind = ErrorKind.CANCELED


class ConflictError(WippyError):
    kind = ErrorKind.CONFLICT


class TimedOutError(WippyError):
    kind = ErrorKind.TIMEOUT
    retryable = True


class RateLimitedError(WippyError):
    kind = ErrorKind.RATE_LIMITED
    retryable = True


class BinaryError(InvalidError):
    """Bytes that are refused; `offset` counts from the start of the outermost file."""

    def __init__(self, message: str, offset: int, *, hint: str | None = None) -> None:
        super().__init__(with_short_names(message), hint=hint, details={"offset": offset})
        self.offset = offset

    def __str__(self) -> str:
        return f"{super().__str__()} (at offset {self.offset:#x})"

    def moved(self, by: int) -> BinaryError:
        """The error of a part, in terms of the whole that has the part so many bytes from its start."""
        return type(self)(self.message, self.offset + by, hint=self.hint)

    def of_file(self, path: str) -> BinaryError:
        """The same, saying which file has the bytes."""
        return type(self)(f"{path}: {self.message}", self.offset, hint=self.hint)


class MalformedError(BinaryError):
    """The bytes do not follow the binary grammar."""


class ValidationError(BinaryError):
    """The bytes decode, but break a validation rule."""


@dataclass(frozen=True)
class Diagnostic:
    """One complaint about a text: 1-based `line` and `column` (in characters), the line itself, its span's width."""

    message: str
    path: str
    line: int
    column: int
    source_line: str = ""
    width: int = 1
    hint: str | None = None

    def render(self) -> str:
        """The complaint with its place, the line and a caret."""
        number = str(self.line)
        pad = " " * len(number)
        lines = [f"{self.path}:{self.line}:{self.column}: {self.message}"]
        if self.source_line:
            caret = " " * (self.column - 1) + "^" + "-" * (max(self.width, 1) - 1)
            lines += [f" {pad} |", f" {number} | {self.source_line}", f" {pad} | {caret}"]
        if self.hint:
            lines.append(f" {pad} = hint: {self.hint}")
        return "\n".join(lines)


class WitDiagnosticsError(InvalidError):
    """WIT text that is refused; `diagnostics` has the complaints, in order of place, but `more` that were left out.

    Where not `is_all`, so many were found that the rest of the text was not looked at.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic], more: int = 0, *, is_all: bool = True) -> None:
        rendered = [d.render() for d in diagnostics]
        super().__init__("\n".join(rendered + [f"and {'' if is_all else 'at least '}{more:,} more"] * bool(more)))
        self.diagnostics = tuple(diagnostics)
        self.more = more
        self.is_all = is_all


class WatSyntaxError(InvalidError):
    """WebAssembly text that does not parse; the message carries line and column, and the path of a file."""


class WaveSyntaxError(InvalidError):
    """A value as text (WAVE) that does not parse, or not as its type. `position` counts characters from 0."""

    def __init__(self, message: str, position: int, text: str = "", path: str = "") -> None:
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        place = f"character {column}" if "\n" not in text else f"line {line}, character {column}"
        where = f"{path}, {place}" if path else place
        details = {"position": position, "line": line, "column": column, "path": path}
        super().__init__(f"{where}: {message}", details=details)
        self.position = position
        self.path = path


class ValueMismatchError(InvalidError):
    """A value that does not fit its WIT type. `path` leads to it (`users[3].tags`), `expected` and `got` are short."""

    def __init__(self, path: str, expected: str, got: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"{path}: expected {expected}, got {got}",
            hint=hint,
            details={"path": path, "expected": expected, "got": got},
        )
        self.path = path
        self.expected = expected
        self.got = got


class LinkError(InvalidError):
    """An import that can't be satisfied; `import_name` is its full name."""

    def __init__(self, message: str, import_name: str, *, hint: str | None = None) -> None:
        super().__init__(with_short_names(message), hint=hint, details={"import": import_name})
        self.import_name = import_name


class UnsupportedFeatureError(InvalidError):
    """The module needs `feature`, which `engine` has not."""

    def __init__(self, feature: str, engine: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"this module needs {feature}; {engine} has none",
            hint=hint,
            details={"feature": feature, "engine": engine},
        )
        self.feature = feature
        self.engine = engine


class TooLongError(InvalidError):
    """Types that are too long as text: what a file says of them once would be repeated in it beyond measure."""


@dataclass(frozen=True, order=True)
class Problem:
    """One problem of an app's definition: where it stands, which entry and field, what to do."""

    path: str
    line: int
    entry: str
    field: str
    message: str
    hint: str | None = None

    def render(self) -> str:
        """`file:line: entry 'ns:name', field 'f': message (hint)` with what is empty left out."""
        place = f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        subject = ", ".join(
            part
            for part in (f"entry '{self.entry}'" * bool(self.entry), f"field '{self.field}'" * bool(self.field))
            if part
        )
        text = f"{place}{subject}: {self.message}" if subject else f"{place}{self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class DefinitionError(InvalidError):
    """An app that is refused; `problems` has all of them, in order of place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(p.render() for p in problems), details={"problems": len(problems)})
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Frame:
    """One guest frame of a trap's backtrace, innermost first; names where the module has them.

    `offset` counts from the start of the module; 0 where the engine does not know it.
    """

    module: str | None
    function: str | None
    function_index: int
    offset: int

    def render(self) -> str:
        name = self.function or f"func[{self.function_index}]"
        place = f" @ {self.offset:#x}" if self.offset else ""
        return f"{self.module}!{name}{place}" if self.module else f"{name}{place}"


class Trap(InternalError):
    """The guest trapped. `frames` is the backtrace, `code` a short stable word, that of the specification's own tests
    where they have one (`unreachable`, `out of bounds memory access`, …). `function` is the import, export or built-in
    that the guest called, or returned from, against the canonical ABI (between components, the core function that is
    lifted); empty where its own code trapped."""

    def __init__(
        self, message: str, *, code: str = "trap", frames: Sequence[Frame] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, details={"code": code})
        self.code = code
        self.function = ""
        self.come_through(frames)

    def come_through(self, frames: Sequence[Frame]) -> None:
        """Keep the guest's backtrace, where it was raised by what the guest called."""
        self.frames = tuple(frames)
        self.details["frames"] = [f.render() for f in frames]

    def tell(self, function: str, where: str) -> None:
        """Say at which function, and at what of it: `in the result of`."""
        self.function = self.details["function"] = function
        self.message += f" {where} `{function}`"
        self.args = (self.message,)


class LimitTrap(Trap):
    """The guest trapped after a limit had not let it grow. `budget` is the limit's name: `max_memory_mb`, …"""

    def __init__(
        self,
        message: str,
        *,
        budget: str = "",
        code: str = "trap",
        frames: Sequence[Frame] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, code=code, frames=frames, hint=hint)
        self.budget = budget
        self.details["budget"] = budget


class PoisonedError(InternalError):
    """The instance trapped earlier, so its state can't be trusted; make a new one."""


class LuaError(InternalError):
    """A Lua program failed; `traceback` is Lua's own."""

    def __init__(self, message: str, *, traceback: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint, details={"traceback": traceback} if traceback else {})
        self.traceback = traceback


class ThreadError(ConflictError):
    """An object was used from a thread that may not use it."""


class WitError(WippyError):
    """The `err` of a function whose result is a `result`; `payload` is its value, or None."""

    def __init__(self, payload: Any = None) -> None:
        super().__init__(f"the guest returned an error: {_cut(repr(payload))}", details={"payload": payload})
        self.payload = payload


def _cut(text: str) -> str:
    """What people are shown of a guest's value, which may be as long as its memory."""
    more = len(text) - MOST_SHOWN
    return text if more <= 0 else f"{text[:MOST_SHOWN]}… {counted(more, 'more character')}"


class GuestExit(WippyError):
    """The guest ended itself; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the guest exited with code {code}", details={"code": code})
        self.code = code
