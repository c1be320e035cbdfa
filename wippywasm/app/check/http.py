"""Entries of HTTP that do not go together.

In: entries. Out: problems. What each service serves is made from the entries again when the app starts. Spec: SPEC
section 12.
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm.app.entry import Entry
from wippywasm.app.report import Report


def check_http(entries: Mapping[str, Entry], report: Report) -> None:
    """A problem for a route, a mount or an address that two have, and for an entry that belongs to no service."""
    if any(entry.kind.startswith("http.") for entry in entries.values()):
        from wippywasm.app.http.plan import plan_services  # an app without HTTP needs nothing of it

        plan_services(entries, report)
