"""Libraries that import one another in a circle, services and storages that do likewise.

In: entries. Out: one problem per circle, with the way round. Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wippywasm.app.entry import Entry
from wippywasm.app.kinds.lifecycle import SERVICES
from wippywasm.app.kinds.wasm import WASM_NAMES
from wippywasm.app.report import At, Report


def check_cycles(entries: Sequence[Entry], report: Report) -> None:
    """Find every circle of `imports` among libraries, of `with`, of waiting among services, of `storages`."""
    libraries = [entry for entry in entries if entry.kind == "library.lua"]
    said = "libraries import one another in a circle", "move what both need into a third library"
    _check(libraries, ("imports",), said, report)
    wasm = [entry for entry in entries if entry.kind in WASM_NAMES]
    said = "components are composed with one another in a circle", "one of them has to do without"
    _check(wasm, ("with",), said, report)
    services = [entry for entry in entries if entry.kind in SERVICES]
    said = "services wait for one another in a circle", "one of them has to start first"
    _check(services, ("lifecycle.requires", "lifecycle.depends_on"), said, report)
    routers = [entry for entry in entries if entry.kind == "env.storage.router"]
    _check(routers, ("storages",), ("storages lead to one another in a circle", "leave one of them out"), report)


def _check(entries: Sequence[Entry], fields: tuple[str, ...], said: tuple[str, str], report: Report) -> None:
    by_id = {entry.id: entry for entry in entries}
    graph = {
        id: [r.id for r in entry.references if r.field.startswith(fields) and r.id in by_id]
        for id, entry in by_id.items()
    }
    for circle in _circles(graph):
        entry = by_id[circle[0]]
        following = circle[1 % len(circle)]
        reference = next(r for r in entry.references if r.id == following and r.field.startswith(fields))
        way = " → ".join((*circle, circle[0]))
        at = At(report, reference.path, reference.line, entry.id, reference.field)
        at.problem(f"{said[0]}: {way}", said[1])


def _circles(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """One circle for each edge that closes one, by a walk without recursion."""
    done: set[str] = set()
    for root in graph:
        path: list[str] = []
        places: dict[str, int] = {}
        todo: list[tuple[str, bool]] = [(root, False)]
        while todo:
            node, is_left = todo.pop()
            if is_left:
                done.add(node)
                del places[path.pop()]
            elif node in places:
                yield path[places[node] :]
            elif node not in done:
                places[node] = len(path)
                path.append(node)
                todo.append((node, True))
                todo.extend((following, False) for following in graph[node])
