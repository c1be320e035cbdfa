"""The WIT of the hosts that come with this package: WASI 0.2 and `wippy:runtime`.

In: nothing but the files beside this package. Out: one `Resolution` of them, read once.
Offered imports are checked against these types when a component is linked; nothing about them is written by hand.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from wippywasm.wit.load import parse
from wippywasm.wit.resolved import Interface, Resolution

_PACKAGE = Path(__file__).resolve().parent.parent


def host_wit_path() -> Path:
    """The folder of WIT files: in the installed package, or at the top of a checkout."""
    installed = _PACKAGE / "_wit"
    return installed if installed.is_dir() else _PACKAGE.parent / "wit"


@cache
def host_packages() -> Resolution:
    """All host packages, with every feature; the caller must not change them."""
    return parse(host_wit_path(), all_features=True)


def host_interface(name: str) -> Interface | None:
    """The host's interface for `ns:pkg/name`, whichever version the name asks for; None if there is none."""
    wanted = name.partition("@")[0]
    return next((i for i in host_packages().interfaces if (i.id or "").partition("@")[0] == wanted), None)
