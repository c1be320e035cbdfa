"""An inspection as JSON, by the schema in `docs/inspect.md`.

In: an `Inspection`. Out: dicts, lists, text, numbers, bools and None. Fields are added, never renamed.
"""

from __future__ import annotations

from typing import Any

from wippywasm.core import CoreMemoryType, CoreTableType
from wippywasm.errors import TooLongError
from wippywasm.inspect.model import Definition, ExportedFunction, Inspection, ModuleFacts, Node, Producers
from wippywasm.plan.describe import describe_func
from wippywasm.unfolded import OF_OWN, ROOM, Texts

PARTS, BYTES_OF_PART, MOST_PARTS = 1_800, 40, 50_000
"""How many exports, imports, modules and instances the JSON of any file may have, the bytes of it that allow one more,
and what none may exceed: each takes a kilobyte."""
OF_MODULE = 2
"""What a module or an instance of one counts besides: its facts are many, and it is a part of the tree as well."""


def to_json(found: Inspection) -> dict[str, Any]:
    """The whole inspection. Raises TooLongError where it would be out of proportion to the file."""
    _check_size(found)
    form = _form(found)
    texts = Texts(ROOM + found.size * OF_OWN)
    todo: list[Any] = [form]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            texts.spend(len(part))
        elif isinstance(part, dict | list):
            todo += part.values() if isinstance(part, dict) else part
    return form


def _check_size(found: Inspection) -> None:
    """Refuse what would be too much to be made at all: entries that all have the same WIT, lists of a million."""
    entries = () if found.definition is None else found.definition.entries
    lists = (found.exports, found.other_exports, found.modules, found.customs, entries)
    count = sum(map(len, lists)) + sum(1 + len(i.functions) for group in found.groups for i in group.imports)
    count += OF_MODULE * len(found.modules)
    most = min(PARTS + found.size // BYTES_OF_PART, MOST_PARTS)
    if count <= most:  # the graph of more is too much itself
        count += len(found.graph.boxes) + len(found.graph.links)
    if count > most:
        raise TooLongError(f"it has {count:,} exports, imports and parts, and its JSON has {most:,} of them at most")
    texts = Texts(ROOM + found.size * OF_OWN)
    for entry in entries:
        texts.spend(sum(map(len, entry.pieces)))


def _form(found: Inspection) -> dict[str, Any]:
    return {
        "path": found.path,
        "kind": found.kind,
        "text": found.is_text,
        "size": found.size,
        "hash": found.digest,
        "wit": found.wit or None,
        "exports": [_export(found, function) for function in found.exports],
        "other_exports": [{"name": other.name, "what": other.what} for other in found.other_exports],
        "imports": [
            {
                "grant": group.grant,
                "imports": [
                    {"name": i.name, "items": [{"name": n, "type": t} for n, t in i.functions], "fault": i.fault}
                    for i in group.imports
                ],
            }
            for group in found.groups
        ],
        "declare": list(found.declare),
        "modules": [_module(module) for module in found.modules],
        "customs": [{"name": c.name, "size": c.size} for c in found.customs],
        "producers": _producers(found.producers),
        "engines": [{"name": fit.engine, "runs": not fit.lacks, "lacks": list(fit.lacks)} for fit in found.engines],
        "tree": None if found.tree is None else _node(found.tree),
        "graph": {
            "boxes": [{"id": b.id, "kind": b.kind, "label": b.label, "size": b.size} for b in found.graph.boxes],
            "links": [{"from": k.source, "to": k.target, "items": list(k.items)} for k in found.graph.links],
        },
        "definition": None if found.definition is None else _definition(found.definition),
        "problems": list(found.problems),
    }


def _export(found: Inspection, function: ExportedFunction) -> dict[str, Any]:
    entry = None if found.definition is None else found.definition.entry(function.key)
    return {
        "name": function.key,
        "type": describe_func(function.type),
        "id": None if entry is None else entry.id,
        "arguments": function.shell,
        "command": None if entry is None else entry.command,
        "address": None if entry is None else entry.address,
        "python": function.python,
        "not_by_id": function.by_id,
    }


def _module(module: ModuleFacts) -> dict[str, Any]:
    return {
        "where": module.where,
        "name": module.name,
        "size": module.size,
        "imports": module.imports,
        "exports": module.exports,
        "functions": module.functions,
        "start": module.has_start,
        "memories": [_memory(memory) for memory in module.memories],
        "tables": [_table(table) for table in module.tables],
        "customs": [{"name": c.name, "size": c.size} for c in module.customs],
        "producers": _producers(module.producers),
        "features": list(module.features),
    }


def _memory(memory: CoreMemoryType) -> dict[str, Any]:
    return {
        "minimum": memory.limits.minimum,
        "maximum": memory.limits.maximum,
        "page_size": 1 << memory.page_size_log2,
        "shared": memory.shared,
        "is_64": memory.is_64,
    }


def _table(table: CoreTableType) -> dict[str, Any]:
    limits = table.limits
    return {"element": table.element, "minimum": limits.minimum, "maximum": limits.maximum, "is_64": table.is_64}


def _producers(producers: Producers) -> dict[str, Any]:
    return {role: [{"name": n, "version": v} for n, v in tools] for role, tools in producers.items()}


def _node(node: Node) -> dict[str, Any]:
    return {
        "kind": node.kind,
        "label": node.label,
        "size": node.size,
        "detail": node.detail,
        "children": [_node(child) for child in node.children],
    }


def _definition(definition: Definition) -> dict[str, Any]:
    return {
        "text": definition.text,
        "entries": [{"export": e.key, "id": e.id, "text": e.text} for e in definition.entries],
        "notes": list(definition.notes),
    }
