"""Definitions in an order in which each follows what it refers to.

In: names with the names they refer to. Out: the order, the source's own where it leaves a choice; or a `Refusal`.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from wippywasm.wit.source import Refusal
from wippywasm.wit.syntax import Id


def toposort(kind: str, references: Mapping[str, Sequence[Id]]) -> list[str]:
    """The keys of `references` in order. Every referenced name has to be a key. Refuses a cycle."""
    index = {name: i for i, name in enumerate(references)}
    names = list(references)
    remaining = [len(ids) for ids in references.values()]
    users: list[list[int]] = [[] for _ in names]
    for i, ids in enumerate(references.values()):
        for id in ids:
            users[index[id.name]].append(i)
    ready = [i for i, count in enumerate(remaining) if not count]
    order = []
    while ready:
        done = heapq.heappop(ready)
        order.append(names[done])
        for user in users[done]:
            remaining[user] -= 1
            if not remaining[user]:
                heapq.heappush(ready, user)
    if len(order) < len(names):
        raise _cycle(kind, references, {names[i] for i, count in enumerate(remaining) if count})
    return order


def _cycle(kind: str, references: Mapping[str, Sequence[Id]], stuck: set[str]) -> Refusal:
    for name, ids in references.items():
        for id in ids if name in stuck else ():
            if id.name in stuck:
                return Refusal(id.span, f"{kind} `{id.name}` depends on itself")
    raise AssertionError("a sort that stops has a cycle")
