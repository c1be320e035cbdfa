"""Wasm entries whose component serves HTTP itself.

In: an entry with `transport: wasi-http`, its component. Out: whether it does, and problems where it could not.
Spec: SPEC section 12.
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.app.entry import Entry
from wippywasm.app.report import Report
from wippywasm.errors import NotFoundError
from wippywasm.instance.component import Component

HANDLE = "wasi:http/incoming-handler#handle"
_NEEDS = {"wasi:http": "wasi:http/types", "wasi:io": "wasi:io/streams"}


def can_serve(entry: Entry, component: Component) -> bool:
    """Whether requests go to the component as they are: it exports `wasi:http/incoming-handler`, and may have them."""
    if entry.data.get("transport") != "wasi-http":
        return False
    try:
        component.find_function(HANDLE)
    except NotFoundError:
        return False
    return True


def check_serving(entry: Entry, report: Report) -> None:
    """A problem where the guest could not read the request, or would run on another thread than the connection."""
    declared: Sequence[str] = entry.data.get("imports") or ()
    granted = {name.partition("@")[0] for name in declared}
    lacking = [package for package, interface in _NEEDS.items() if not granted & {package, interface}]
    if lacking:
        message = f"it serves requests, which it can't read without {' and '.join(lacking)}"
        entry.at(report, "imports").problem(message, f"add them: [{', '.join(sorted({*declared, *lacking}))}]")
    if (entry.data.get("pool") or {}).get("worker_class"):
        entry.at(report, "pool").problem(
            "a component that serves requests can't have 'worker_class'", "give it a 'type'"
        )
