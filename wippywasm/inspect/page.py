"""An inspection as one HTML page, with the structure drawn.

In: an `Inspection`. Out: HTML that needs nothing else: no network, no scripts; light or dark as the reader has it. All
that comes from the file is escaped, and lists are bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import islice

from wippywasm.engine.features import labels
from wippywasm.errors import counted
from wippywasm.inspect.drawing import MAX_BOXES, drawing
from wippywasm.inspect.exports import is_handler
from wippywasm.inspect.imports import unlinkable
from wippywasm.inspect.markup import isolated, safe
from wippywasm.inspect.model import ExportedFunction, ImportGroup, Inspection, ModuleFacts, Node
from wippywasm.inspect.tree import describe_memory, describe_table, human_size
from wippywasm.plan.describe import describe_func

MOST = 300
"""Entries of one list, and parts of the tree."""
_KINDS = {"module": "core module", "wit package": "WIT package"}


def page(found: Inspection) -> str:
    """The whole document."""
    name = safe(found.path.rpartition("/")[2])
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{name}</title>\n<style>\n{_style()}</style>\n</head>\n<body>",
            *_head(found, name),
            *_sections(found),
            "</body>\n</html>\n",
        )
    )


@cache
def _style() -> str:
    return resources.files("wippywasm.inspect").joinpath("page.css").read_text(encoding="utf-8")


def _head(found: Inspection, name: str) -> Iterator[str]:
    badges = [(_KINDS.get(found.kind, found.kind) + " as text" * found.is_text, ""), (human_size(found.size), "")]
    is_linkable = not unlinkable(found.groups)
    for fit in found.engines if found.modules and is_linkable else ():
        lacks = f" lacks {labels(list(fit.lacks))}" if fit.lacks else ""
        badges.append((f"{fit.engine}{lacks}", "no" if fit.lacks else "yes"))
    yield f"<header>\n<h1>{name}</h1>"
    yield f'<div class="badges">{"".join(_badge(text, kind) for text, kind in badges)}</div>'
    yield f'<code class="soft">{safe(found.digest)}</code>'
    yield from (f'<div class="problem">{safe(problem)}</div>' for problem in found.problems[:MOST])
    yield _more(len(found.problems))
    yield "</header>"


def _badge(text: str, kind: str) -> str:
    return f'<span class="badge {kind}">{safe(text)}</span>'


def _sections(found: Inspection) -> Iterator[str]:
    missing = {i.name for group in found.groups if group.grant is None for i in group.imports}
    if found.kind != "wit package":
        yield f'<h2>Structure</h2>\n<div class="canvas">{_drawing(found, missing)}</div>\n{_LEGEND}'
    parts = (
        ("Exports", _cards((_export(found, f) for f in found.exports), len(found.exports))),
        ("Imports", _cards(map(_group, found.groups), len(found.groups))),
        ("Entry to paste", _definition(found)),
        ("World", f"<pre>{safe(found.world)}</pre>" if found.world else ""),
        ("Core modules", _modules(found.modules)),
        ("Inside", f'<div class="tree">{"".join(_tree(found.tree, [MOST]))}</div>' if found.tree else ""),
        ("Made by", _producers(found)),
    )
    yield from (f"<h2>{heading}</h2>\n{body}" for heading, body in parts if body)


def _drawing(found: Inspection, missing: Collection[str]) -> str:
    """The graph is not made where there are more imports than it draws."""
    imports = sum(len(group.imports) for group in found.groups)
    return f"<p>{imports:,} imports are too many to draw.</p>" if imports > MAX_BOXES else drawing(found.graph, missing)


_LEGEND = (
    '<div class="legend">'
    '<span style="--c: var(--import)">import, granted by an entry</span>'
    '<span style="--c: var(--missing)">import that must be supplied</span>'
    '<span style="--c: var(--instance)">core instance</span>'
    '<span style="--c: var(--export)">export</span></div>'
)


def _cards(cards: Iterable[str], count: int) -> str:
    """The first of so many cards; others are not made."""
    return f'<div class="cards">{"".join(islice(cards, MOST))}</div>{_more(count)}' if count else ""


def _more(count: int) -> str:
    return f'<p class="soft">… and {count - MOST:,} more</p>' if count > MOST else ""


def _export(found: Inspection, function: ExportedFunction) -> str:
    entry = None if found.definition is None else found.definition.entry(function.key)
    lines = [] if is_handler(function.key) else [function.python]
    if entry is not None and entry.command is not None:
        lines.insert(0, f"wippywasm run {entry.command}")
    elif entry is not None and entry.address is not None:
        lines = ["wippywasm run", f"curl {entry.address}"]
    elif entry is not None and function.shell is not None:
        lines.insert(0, f"wippywasm call {entry.id} {function.shell}".rstrip())
    shown = "".join(f'<code class="line">{safe(line)}</code>' for line in lines)
    return (
        f'<div class="card"><span class="key">{safe(function.key)}</span>'
        f"<code>{safe(describe_func(function.type))}</code>{shown}</div>"
    )


def _group(group: ImportGroup) -> str:
    heading = "must be supplied" if group.grant is None else f"{group.grant} grants"
    items = []
    for i in group.imports[:MOST]:
        names = ", ".join(isolated(name) for name, _ in i.functions[:MOST] if name != i.name)
        fault = f" — {safe(i.fault)}" if i.fault else ""
        items.append(f'<li><code>{safe(i.name)}</code> <span class="soft">{names}{fault}</span></li>')
    kind = "missing" if group.grant is None else "grant"
    return f'<div class="card {kind}"><h3>{safe(heading)}</h3><ul>{"".join(items)}</ul></div>'


def _definition(found: Inspection) -> str:
    if found.definition is None:
        return ""
    notes = "".join(f'<p class="soft">{safe(note)}</p>' for note in found.definition.notes)
    more = _more(len(found.definition.entries))
    return f"<pre>{safe(found.definition.first(MOST))}</pre>{more}{notes}"


def _modules(modules: Sequence[ModuleFacts]) -> str:
    largest = max((m.size for m in modules), default=1) or 1
    rows = "".join(_module(m, largest) for m in modules[:MOST])
    return f"<table>{rows}</table>" if rows else ""


def _module(m: ModuleFacts, largest: int) -> str:
    facts = [f"{counted(m.functions, 'function')}, {counted(m.imports, 'import')}, {counted(m.exports, 'export')}"]
    facts += [f"memory: {describe_memory(memory)}" for memory in m.memories]
    facts += [f"table: {describe_table(table)}" for table in m.tables]
    facts += [f"needs {labels(list(m.features))}"] if m.features else []
    sizes = ", ".join(f"{c.name} ({human_size(c.size)})" for c in m.customs[:12])
    facts += [f"custom sections: {sizes}"] if sizes else []
    bar = f'<span class="bar" style="width: {100 * m.size / largest:.1f}%"></span>'
    name = f"{m.where} {m.name or ''}"
    return (
        f'<tr><th><code>{safe(name)}</code></th><td style="width: 26%">{human_size(m.size)}{bar}</td>'
        f"<td>{'<br>'.join(map(safe, facts))}</td></tr>"
    )


def _tree(node: Node, left: list[int]) -> Iterator[str]:
    """The nesting as outlines that open; `left` counts down how many parts may still be shown."""
    left[0] -= 1
    size = f' <span class="soft">{human_size(node.size)}</span>' if node.size is not None else ""
    kind = "" if f"{node.label} ".startswith(f"{node.kind} ") else f"{node.kind} "
    words = f"{kind}{isolated(node.label)}{size}"
    words += f' <span class="soft">{safe(node.detail)}</span>' if node.detail else ""
    if not node.children:
        yield f'<div class="leaf">{words}</div>'
        return
    yield f"<details open><summary>{words}</summary>"
    for child in node.children:
        if left[0] <= 0:
            yield '<div class="leaf soft">…</div>'
            break
        yield from _tree(child, left)
    yield "</details>"


def _producers(found: Inspection) -> str:
    rows = "".join(
        f"<tr><th>{safe(role)}</th>"
        f"<td>{', '.join(isolated(f'{name} {version}'.rstrip()) for name, version in tools)}</td></tr>"
        for role, tools in found.producers.items()
    )
    return f"<table>{rows}</table>" if rows else ""
