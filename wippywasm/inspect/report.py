"""An inspection in words, for people.

In: an `Inspection`. Out: sections of lines, a heading each; the command line prints them. Names come from the file and
may hold anything: whoever shows them has to tame them.

Spec: SPEC section 13.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from wippywasm.dataclass import dataclass
from wippywasm.engine.features import LABELS, labels
from wippywasm.errors import counted
from wippywasm.inspect.exports import is_handler
from wippywasm.inspect.imports import to_supply, unlinkable
from wippywasm.inspect.model import Import, Inspection, ModuleFacts, Node
from wippywasm.inspect.tree import describe_memory, describe_table, human_size
from wippywasm.plan.describe import describe_func

MOST_ENTRIES = 3
"""Entries that the report shows; `--entry` gives all."""
MOST_ENTRY_LINES = 100
"""Lines of those: a world in `wit` may have thousands."""
MOST_LINES = 200
"""Lines of one section; a hostile file has millions."""


@dataclass(frozen=True)
class Section:
    heading: str
    lines: tuple[str, ...]


def report(found: Inspection) -> list[Section]:
    """The whole report; sections that would be empty are left out."""
    parts = (
        (_title(found), _problems(found)),
        ("World", found.texts.lines()),
        ("Exports", _exports(found)),
        ("Imports", _imports(found)),
        ("Core modules", _modules(found.modules)),
        ("Custom sections", [f"{c.name}  {human_size(c.size)}" for c in found.customs]),
        ("Made by", _producers(found)),
        ("Runs on", _engines(found)),
        ("Entry to paste", _definition(found)),
    )
    sections = [Section(heading, _bounded(lines)) for heading, lines in parts]
    return [sections[0], *(s for s in sections[1:] if s.lines)]


def tree_lines(node: Node, prefix: str = "") -> Iterator[str]:
    """The nesting, one line for each part."""
    size = "" if node.size is None else f"  {human_size(node.size)}"
    kind = "" if f"{node.label} ".startswith(f"{node.kind} ") else f"{node.kind} "
    yield f"{kind}{node.label}{size}{f'  ({node.detail})' if node.detail else ''}"
    for index, child in enumerate(node.children):
        last = index == len(node.children) - 1
        for number, line in enumerate(tree_lines(child)):
            branch = ("└─ " if last else "├─ ") if number == 0 else ("   " if last else "│  ")
            yield f"{prefix}{branch}{line}"


def _bounded(lines: Iterable[str]) -> tuple[str, ...]:
    """Those that are shown, and the number of the others, which are not kept."""
    rest = iter(lines)
    shown = tuple(islice(rest, MOST_LINES))
    left = sum(1 for _ in rest)
    return (*shown, f"… and {left:,} more lines") if left else shown


def _title(found: Inspection) -> str:
    kind = {"module": "core module", "wit package": "WIT package"}.get(found.kind, found.kind)
    form = " as text" if found.is_text else ""
    return f"{found.path}: {kind}{form}, {human_size(found.size)}, {found.digest}"


def _problems(found: Inspection) -> Iterator[str]:
    yield from found.problems
    if found.kind == "wit package":
        yield "it holds interfaces and worlds, and no code: see 'wippywasm wit'"


def _exports(found: Inspection) -> Iterator[str]:
    for function in found.exports:
        yield f"{function.key}: {describe_func(function.type)}"
        entry = None if found.definition is None else found.definition.entry(function.key)
        if entry is not None and entry.command is not None:
            yield f"    wippywasm run {entry.command}"
        elif entry is not None and entry.address is not None:
            yield "    wippywasm run"
            yield f"    curl {entry.address}"
        elif entry is not None and function.shell is not None:
            yield f"    wippywasm call {entry.id} {function.shell}".rstrip()
        elif function.by_id is not None:
            yield f"    {function.by_id}"
        if not is_handler(function.key):
            yield f"    {function.python}"
    for other in found.other_exports:
        yield f"{other.name}: {other.what}"


def _imports(found: Inspection) -> Iterator[str]:
    for group in found.groups:
        yield "must be supplied:" if group.grant is None else f"{group.grant} grants:"
        for i in group.imports:
            yield f"    {i.name}: {_items(i)}{f' ({i.fault})' if i.fault else ''}"
    if found.definition is None and (supply := to_supply(found.groups, found.kind)) is not None:
        yield supply  # a note of the definition says it otherwise


def _items(i: Import) -> str:
    names = [name for name, _ in i.functions]
    if len(i.functions) == 1 and names[0] == i.name:
        return i.functions[0][1]
    return ", ".join(names[:12]) + f" and {len(names) - 12} more" * (len(names) > 12) if names else "resources"


def _modules(modules: Sequence[ModuleFacts]) -> Iterator[str]:
    for m in modules:
        name = f" {m.name}" if m.name else ""
        counts = f"{counted(m.functions, 'function')}, {counted(m.imports, 'import')}, {counted(m.exports, 'export')}"
        yield f"{m.where}{name}: {human_size(m.size)}, {counts}{', start' if m.has_start else ''}"
        yield from (f"    memory {describe_memory(memory)}" for memory in m.memories)
        yield from (f"    table {describe_table(table)}" for table in m.tables)
        if m.features:
            yield f"    needs {labels(list(m.features))}"
        if m.customs:
            yield f"    custom sections {', '.join(f'{c.name} ({human_size(c.size)})' for c in m.customs[:12])}"


def _producers(found: Inspection) -> Iterator[str]:
    for role, tools in found.producers.items():
        yield f"{role}: {', '.join(f'{name} {version}'.rstrip() for name, version in tools)}"


def _engines(found: Inspection) -> Iterator[str]:
    why = "no, its imports can't be linked" if unlinkable(found.groups) else "yes"
    for fit in found.engines if found.modules else ():
        lacks = labels([LABELS.get(name, name) for name in fit.lacks])
        yield f"{fit.engine}: no, it lacks {lacks}" if fit.lacks else f"{fit.engine}: {why}"


def _definition(found: Inspection) -> Iterator[str]:
    definition = found.definition
    if definition is None:
        return
    shown = definition.first(MOST_ENTRIES)
    lines = shown.rstrip("\n").split("\n")
    yield from lines[:MOST_ENTRY_LINES]
    left = len(definition.entries) - MOST_ENTRIES
    if left > 0 or len(lines) > MOST_ENTRY_LINES:
        file = shlex.quote(found.path)
        more = f"and {left} more" if len(lines) <= MOST_ENTRY_LINES else "and so on"
        yield f"  # {more}: 'wippywasm inspect {file} --entry' prints all, '--method NAME' one"
    yield from (f"# {note}" for note in definition.notes)
