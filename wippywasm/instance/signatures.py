"""Whether a component has the functions that its `wit:` field says.

In: its own function types, and signatures. Out: nothing, or an error with every difference.

Spec: SPEC section 3 (`wit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wippywasm.errors import InvalidError, NotFoundError
from wippywasm.instance.functions import find_key
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan import describe_func
from wippywasm.plan.substitute import Substitution, resources_in

if TYPE_CHECKING:
    from wippywasm.wit import Signatures


def check_signatures(functions: Mapping[str, FuncType], signatures: Signatures) -> None:
    """Compare each signature with the function of that name; raises InvalidError with all that differ."""
    problems = [p for key, ft in signatures.exports.items() if (p := _difference(functions, key, ft)) is not None]
    if problems:
        raise InvalidError("\n".join(problems))


def _difference(functions: Mapping[str, FuncType], key: str, said: FuncType) -> str | None:
    try:
        have = functions[find_key(key, functions)]
    except NotFoundError as error:
        return str(error)
    if _without_names(_aligned(said, have)) == _without_names(have):
        return None
    return f"{key!r} is {describe_func(have)} in the component, but {describe_func(said)} in its signature"


def _aligned(said: FuncType, have: FuncType) -> FuncType:
    """The signature with its resources taken for the component's, in the order in which they occur."""
    pairs: dict[ResourceType, ResourceType] = dict(zip(resources_in(said), resources_in(have)))
    return Substitution(lambda r: pairs.get(r, r)).func(said)


def _without_names(t: FuncType) -> tuple[object, ...]:
    return (*[p.type for p in t.params], t.result)
