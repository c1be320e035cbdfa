"""The option `--features` of the commands that read WIT.

In: texts with names. Out: the names, which remember what asked for them; a note on each that nothing asked for.
Spec: `WIT.md`, "Feature Gates".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import click

from wippywasm.app.suggest import did_you_mean
from wippywasm.cli.output import say, tame

features_option = click.option(
    "--features", multiple=True, metavar="NAME[,NAME…]", help="Count `@unstable` items of these features."
)


class Features(Collection[str]):
    """The names, in order; `in` is what decides about an item, so whatever is never asked for changes nothing."""

    def __init__(self, options: Sequence[str]) -> None:
        self._names = dict.fromkeys(name for option in options for name in option.replace(",", " ").split())
        self._met: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self._met.add(str(name))
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def say_unused(self) -> None:
        """A note for each name that no item of what was read has in its gate."""
        for name in self:
            if name not in self._met:
                near = did_you_mean(name, sorted(self._met - self._names.keys()))
                say(f"note: the feature '{tame(name)}' changes nothing here{f'; {tame(near)}' if near else ''}")
