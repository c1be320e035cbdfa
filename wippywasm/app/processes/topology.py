"""Who wants to know of whose end: monitors and links.

In: pids, bonds between them, ends. Out: for an end, who is to be told. Spec: SPEC section 9.

A monitor goes one way, a link both. However often a bond is made, it is one; an end uses up all bonds of a process, so
that each is told of once.
"""

from __future__ import annotations

from collections import defaultdict


class Topology:
    """The bonds between live processes."""

    def __init__(self) -> None:
        self._watchers: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._watched: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._links: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def monitor(self, watcher: str, target: str) -> None:
        self._watchers[target][watcher] = None
        self._watched[watcher][target] = None

    def unmonitor(self, watcher: str, target: str) -> None:
        _drop(self._watchers, target, watcher)
        _drop(self._watched, watcher, target)

    def link(self, one: str, other: str) -> None:
        self._links[one][other] = None
        self._links[other][one] = None

    def unlink(self, one: str, other: str) -> None:
        _drop(self._links, one, other)
        _drop(self._links, other, one)

    def end(self, pid: str) -> tuple[list[str], list[str]]:
        """Who monitored a process, and who was linked to it, in the order in which they did; its bonds are gone."""
        watchers, links = list(self._watchers.get(pid, ())), list(self._links.get(pid, ()))
        for watcher in watchers:
            self.unmonitor(watcher, pid)
        for target in list(self._watched.get(pid, ())):
            self.unmonitor(pid, target)
        for other in links:
            self.unlink(pid, other)
        return watchers, links

    @property
    def is_empty(self) -> bool:
        return not (self._watchers or self._watched or self._links)


def _drop(bonds: defaultdict[str, dict[str, None]], one: str, other: str) -> None:
    kept = bonds.get(one)
    if kept is not None:
        kept.pop(other, None)
        if not kept:
            del bonds[one]
