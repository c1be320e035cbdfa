"""The traps of the canonical ABI, one function each, with the words that the conformance vectors expect.

In: what the guest got wrong. Out: an exception, always; generated code calls these on its cold paths.
Values that cross between two components are described in other words than values that cross to or from the host,
as engines do: the `Boundary` of a call decides.
"""

from __future__ import annotations

from typing import NoReturn

from wippywasm.dataclass import dataclass
from wippywasm.errors import Trap
from wippywasm.layout import MAX_HOST_BYTES


@dataclass(frozen=True)
class Boundary:
    """The words for what a guest got wrong, at one kind of boundary."""

    string_bounds: str
    list_bounds: str
    realloc_bounds: str
    realloc_align: str


HOST = Boundary(
    string_bounds="string pointer/length out of bounds of memory",
    list_bounds="list pointer/length out of bounds of memory",
    realloc_bounds="realloc return: beyond end of memory",
    realloc_align="realloc return: result not aligned",
)
COMPONENT = Boundary(
    string_bounds="string content out-of-bounds",
    list_bounds="list content out-of-bounds",
    realloc_bounds="list content out-of-bounds",
    realloc_align="unaligned pointer",
)


def bad_string(pointer: int, align: int, boundary: Boundary) -> NoReturn:
    """A string that is not where the guest says in its memory, or is longer than allowed."""
    if pointer & (align - 1):
        raise Trap("unaligned pointer", code="unaligned pointer")
    raise Trap(boundary.string_bounds, code="string out of bounds")


def bad_list(pointer: int, align: int, boundary: Boundary) -> NoReturn:
    """A list that is not where the guest says in its memory, or is longer than allowed."""
    if pointer & (align - 1):
        raise Trap("unaligned pointer", code="unaligned pointer")
    raise Trap(boundary.list_bounds, code="list out of bounds")


def bad_realloc(pointer: int, align: int, boundary: Boundary) -> NoReturn:
    """A pointer that the guest's `realloc` made up."""
    if pointer & (align - 1):
        raise Trap(boundary.realloc_align, code="unaligned pointer")
    raise Trap(boundary.realloc_bounds, code="realloc out of bounds")


def bad_area(pointer: int, align: int) -> NoReturn:
    """A pointer to spilled parameters or results that can't be one."""
    if pointer & (align - 1):
        raise Trap("unaligned pointer", code="unaligned pointer")
    raise Trap("pointer out of bounds of memory", code="pointer out of bounds")


BORROW_REMAINS = "borrow remains"
_OF_VALUES = {
    "string out of bounds",
    "list out of bounds",
    "realloc out of bounds",
    "pointer out of bounds",
    "unaligned pointer",
    "invalid encoding",
    "invalid discriminant",
    "invalid char",
    "too much data",
    "unknown handle",
    "wrong handle type",
    "not owned",
    "resource lent",
    "handle table full",
    BORROW_REMAINS,
}
"""The codes of what can be wrong with the values of a call."""


def tell(error: BaseException, function: str, where: str) -> None:
    """Have a trap about values say of which function they are, unless it does."""
    if isinstance(error, Trap) and error.code in _OF_VALUES and not error.function:
        error.tell(function, "of" if error.code == BORROW_REMAINS else where)


def tell_lifting(error: BaseException, function: str, where: str) -> None:
    """The same while values are read, where a string that does not decode is such a trap, which this raises."""
    trap = bad_text(error) if isinstance(error, UnicodeDecodeError) else error
    tell(trap, function, where)
    if trap is not error:
        raise trap from error


def told_of_call(error: BaseException, function: str, has_returned: bool) -> BaseException:
    """The same for what ends a call into a guest, whose result is read once that has returned: what to raise."""
    trap = bad_text(error) if has_returned and isinstance(error, UnicodeDecodeError) else error
    tell(trap, function, "in the result of" if has_returned else "in an argument of")
    return trap


def bad_text(error: UnicodeDecodeError) -> Trap:
    """The trap for a string whose bytes are not in the encoding that the guest declared."""
    if error.encoding.replace("-", "").startswith("utf8"):
        if error.reason == "unexpected end of data":
            message = f"incomplete utf-8 byte sequence from index {error.start}"
        else:
            message = f"invalid utf-8 sequence of {error.end - error.start} bytes from index {error.start}"
    else:
        message = f"invalid {error.encoding} in string, from byte {error.start}"
    return Trap(message, code="invalid encoding")


def bad_discriminant() -> NoReturn:
    """A case that the variant has not."""
    raise Trap("invalid variant discriminant", code="invalid discriminant")


def bad_char() -> NoReturn:
    """A number that is no Unicode scalar value."""
    raise Trap("invalid `char` bit pattern", code="invalid char")


def cannot_leave(function: str) -> NoReturn:
    """A call of an import or a built-in out of an instance at a moment where it may make none."""
    trap = Trap(
        "cannot leave component instance",
        code="cannot leave",
        hint="`realloc` and `post-return` functions may call no imports",
    )
    trap.tell(function, "to call")
    raise trap


def too_much(what: str) -> NoReturn:
    """Values that would take more of the host's memory than one call may; a value of the type `what` came too many."""
    raise Trap(
        f"the strings and lists of one call hold too much data: with a `{what}` they would take more than "
        f"{MAX_HOST_BYTES >> 20} MiB of the host's memory",
        code="too much data",
        hint="pass less at a time; numbers take least as `list<u8>`",
    )
