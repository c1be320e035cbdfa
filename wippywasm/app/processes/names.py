"""Names of processes: each stands for one, which may have several.

In: names and pids. Out: the pid behind a name. Spec: SPEC section 9 (`process.registry`).
"""

from __future__ import annotations

from wippywasm.errors import AlreadyExistsError, InvalidError, NotFoundError, RateLimitedError

MAX_LENGTH = 256
MAX_NAMES = 1_000
"""How many names one process may have."""


class Names:
    """The names of one app's processes."""

    def __init__(self) -> None:
        self._pids: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}

    def register(self, name: str, pid: str) -> None:
        """Give a process a name, harmless to repeat; raises AlreadyExistsError where another has it."""
        holder = self._pids.get(name)
        if holder == pid:
            return
        check_name(name)
        if holder is not None:
            raise AlreadyExistsError(f"the name '{name}' is taken by {holder}")
        names = self._names.setdefault(pid, set())
        if len(names) >= MAX_NAMES:
            raise RateLimitedError(f"a process may have at most {MAX_NAMES} names")
        names.add(name)
        self._pids[name] = pid

    def lookup(self, name: str) -> str:
        """The pid behind a name; raises NotFoundError."""
        pid = self._pids.get(name)
        if pid is None:
            raise NotFoundError(f"no process is registered as '{name}'")
        return pid

    def unregister(self, name: str) -> bool:
        """Take a name away; tells whether there was one."""
        pid = self._pids.pop(name, None)
        if pid is None:
            return False
        self._names[pid].discard(name)
        return True

    def end(self, pid: str) -> None:
        """A process has ended, its names are free."""
        for name in self._names.pop(pid, ()):
            del self._pids[name]


def check_name(name: str) -> None:
    """Raise InvalidError for what can't be a name: it would be taken for a pid, or is too long."""
    if not isinstance(name, str) or not name or name.startswith(("{", "@")) or len(name) > MAX_LENGTH:
        raise InvalidError(
            f"{name!r:.80} can't be the name of a process",
            hint=f"a name is text of 1 to {MAX_LENGTH} characters that does not start with '{{' or '@'",
        )
