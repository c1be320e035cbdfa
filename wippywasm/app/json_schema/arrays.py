"""Keywords for arrays.

In: a keyword of a schema. Out: its check. Spec: JSON Schema 2020-12, core section 10.3.1, validation section 6.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wippywasm.app.json_schema.problems import Place, Problem
from wippywasm.app.json_schema.run import Check, Node, Run
from wippywasm.app.json_schema.texts import counted

if TYPE_CHECKING:
    from wippywasm.app.json_schema.compiler import Make, Part


def _one_by_one(nodes: Sequence[Node]) -> Check:
    """The first items, each by a schema of its own."""

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if isinstance(value, list):
            for i, (node, item) in enumerate(zip(nodes, value, strict=False)):
                yield from run.problems(node, item, (*at, i))

    return check


def _from(node: Node, start: int) -> Check:
    """All items from `start` on, by one schema."""

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if isinstance(value, list):
            for i in range(start, len(value)):
                yield from run.problems(node, value[i], (*at, i))

    return check


def _items(part: Part) -> Check:
    if isinstance(part.value, list) and part.value:  # before 2020-12
        return _one_by_one(part.schemas())
    first = part.beside("prefixItems", [])
    return _from(part.schema(), len(first) if isinstance(first, list) else 0)


def _additional_items(part: Part) -> Check | None:
    first = part.beside("items", None)
    return _from(part.schema(), len(first)) if isinstance(first, list) and first else None


def _contains(part: Part) -> Check:
    node = part.schema()
    least, most = part.beside("minContains", 1), part.beside("maxContains", None)

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if not isinstance(value, list):
            return
        count = sum(run.fits(node, item, (*at, i)) for i, item in enumerate(value))
        if count < least or (most is not None and count > most):
            wanted = f"at least {least}" if count < least else f"at most {most}"
            yield Problem(at, f"expected {wanted} of a certain kind among the items, got {count}")

    return check


def _count_of_contained(part: Part) -> None:
    part.count()


def _unique_items(part: Part) -> Check | None:
    if not isinstance(part.value, bool):
        raise part.error("true or false")
    return _no_item_twice if part.value else None


def _no_item_twice(value: Any, at: Place, run: Run) -> Iterator[Problem]:
    seen: dict[Any, int] = {}
    for i, item in enumerate(value if isinstance(value, list) else ()):
        before = seen.setdefault(run.key(item), i)
        if before != i:
            yield Problem((*at, i), f"is the same as item {before + 1}, and no item may be there twice")


MAKERS: Mapping[str, Make] = {
    "minItems": counted(list, "items", is_least=True),
    "maxItems": counted(list, "items", is_least=False),
    "uniqueItems": _unique_items,
    "prefixItems": lambda part: _one_by_one(part.schemas()),
    "items": _items,
    "additionalItems": _additional_items,
    "minContains": _count_of_contained,
    "maxContains": _count_of_contained,
    "contains": _contains,
}
