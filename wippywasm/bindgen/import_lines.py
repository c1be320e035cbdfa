"""Import statements in the order and form that linters ask for.

In: the names a module uses, by where they come from. Out: lines: the future, the standard library, this library, the
package itself; each sorted, and broken where it is long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

MAX_LINE = 88
_OURS = "wippywasm"
_DIGITS = re.compile(r"[0-9]+")


def import_lines(used: Mapping[str, set[tuple[str, str]]]) -> list[str]:
    """The statements; `used` has pairs of a name and what it is called here, by module, `""` for whole modules."""
    lines = ["from __future__ import annotations"]
    for section in (0, 1, 2):
        sources = sorted((s for s in used if s and _section(s) == section), key=_source_key)
        statements = [] if section else [f"import {name}" for name, _ in sorted(used.get("", ()))]
        for source in sources:
            statements += _from(source, used[source])
        lines += ["", *statements] if statements else []
    return lines


def _section(source: str) -> int:
    return 2 if source.startswith(".") else 1 if source == _OURS else 0


def _source_key(source: str) -> tuple[object, ...]:
    dots = len(source) - len(source.lstrip("."))
    return -dots, _natural(source, str.lower)


def _from(source: str, names: set[tuple[str, str]]) -> Iterator[str]:
    """The statement for plain names and one for each that is called something else."""
    groups = [[name for name, local in names if name == local]]
    groups = [sorted(group, key=_name_key) for group in groups if group]
    renamed = [[f"{name} as {local}"] for name, local in names if name != local]
    for group in sorted([*groups, *renamed], key=lambda g: (*_name_key(g[0].partition(" ")[0]), g[0])):
        line = f"from {source} import {', '.join(group)}"
        if len(line) <= MAX_LINE:
            yield line
        elif len(group) > 1 or " as " not in line:
            yield from (f"from {source} import (", *(f"    {name}," for name in group), ")")
        else:
            yield from (f"from {source} import (", f"    {group[0]},", ")")


def in_order(names: Iterable[str]) -> list[str]:
    """Names as linters sort them in `__all__`: constants, classes, others."""
    return sorted(names, key=lambda name: (_kind(name), _natural(name, str)))


def _kind(name: str) -> int:
    return 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2


def _name_key(name: str) -> tuple[object, ...]:
    """As in statements: without regard to case."""
    return _kind(name), _natural(name, str.lower), name


def _natural(text: str, fold: Callable[[str], str]) -> str:
    """A key that has digits by their value, before letters: one text, as there may be ten thousand names."""
    return _DIGITS.sub(_number, fold(text))


def _number(digits: re.Match[str]) -> str:
    value = digits[0].lstrip("0")
    return f"\0{chr(len(value))}{value}"
