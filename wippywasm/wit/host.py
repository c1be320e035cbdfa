"""The WIT of the hosts that come with this package: WASI 0.2 and `wippy:runtime`.

In: nothing but the files beside this package. Out: one `Resolution` of them, read once.
Offered imports are checked against these types when a component is linked; nothing about them is written by hand.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from wippywasm.wit.load import parse
from wippywasm.wit.names import Version
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
    """The host's interface for `ns:pkg/name`, or for that name in any version that ours can stand for; else None."""
    wanted, _, version = name.partition("@")
    for interface in host_packages().interfaces:
        if interface.package is not None and (interface.id or "").partition("@")[0] == wanted:
            return interface if _can_stand_for(interface.package.name.version, version) else None
    return None


def _can_stand_for(own: Version | None, wanted: str) -> bool:
    try:
        return not wanted or own is None or own.track() == Version.parse(wanted).track()
    except ValueError:
        return False
