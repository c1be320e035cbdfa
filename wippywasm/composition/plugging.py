"""Plug components into another one.

In: the socket and its plugs. Out: one component's bytes, validated.
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.binary import decode
from wippywasm.binary.component import TypeBound
from wippywasm.budget import BudgetError
from wippywasm.composition.leftover import Leftover
from wippywasm.composition.wiring import Part, wire
from wippywasm.composition.writer import write
from wippywasm.errors import InvalidError, ValidationError


def plug(parts: Sequence[Part]) -> bytes:
    """The composition of the first part, the socket, with the others.

    Raises InvalidError where a plug is of no use, does not fit, or what is left to import or export has types that only
    a plug knows.
    """
    wiring = wire(parts)
    wasm = write(parts, wiring, Leftover(parts, wiring))
    try:
        decode(wasm)
    except ValidationError as error:
        plugs = ", ".join(part.label for part in parts[1:])
        hint = None if isinstance(error, BudgetError) else _hint(parts[0])
        raise InvalidError(f"{parts[0].label} can't be composed with {plugs}: {error.message}", hint=hint) from None
    return wasm


def _hint(socket: Part) -> str:
    """What may be wrong with a composition that is not valid."""
    loose = [name for name, extern in socket.component.type.exports.items() if isinstance(extern, TypeBound)]
    if loose:
        names = ", ".join(loose[:5])
        return f"{socket.label} exports types outside of any interface ({names}): have it export them in one"
    return "it imports or exports types that only a plug knows: plug that import, too, or leave the plug out"
