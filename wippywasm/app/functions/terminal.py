"""What a command has around it: its arguments, and the standard streams of this process.

In: the words after the command's name. Out: the world of a wasm guest. Spec: SPEC section 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wippywasm.app.entry import Entry
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Terminal:
    """`args` come after the command's name; `on_lost` is told when nobody reads the output any more."""

    args: Sequence[str]
    on_lost: Callable[[OSError], None]

    def around(self, entry: Entry) -> dict[str, Any]:
        """Arguments and streams for a `Wasi`. The entry's own `wasi.args` come first; without any, its name does."""
        from wippywasm.wasi.stdio import own_output

        first = (entry.data.get("wasi") or {}).get("args") or (_name(entry),)
        stdout = own_output("stdout", self.on_lost)
        return {"args": (*first, *self.args), "stdin": "inherit", "stdout": stdout, "stderr": "inherit"}


def _name(entry: Entry) -> str:
    command = entry.meta.get("command") or {}
    return str(command.get("name", entry.name))
