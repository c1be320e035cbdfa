"""Groups of policies that identities name.

In: entries. Out: a problem for a group that no policy is in: it would allow nothing. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wippywasm.app.entry import Entry
from wippywasm.app.report import Report
from wippywasm.app.suggest import did_you_mean_id


def check_groups(entries: Sequence[Entry], report: Report) -> None:
    """Look at `security` of functions and at `lifecycle.security`."""
    policies = [entry for entry in entries if entry.kind == "security.policy"]
    groups = {group for entry in policies for group in entry.data.get("groups") or ()}
    for entry in entries:
        lifecycle = entry.data.get("lifecycle") or {}
        _check(entry, "security", entry.data.get("security"), groups, report)
        _check(entry, "lifecycle.security", lifecycle.get("security"), groups, report)


def _check(entry: Entry, field: str, identity: Mapping[str, Any] | None, groups: set[str], report: Report) -> None:
    for group in (identity or {}).get("groups") or ():
        if group is not None and group not in groups:
            at = entry.at(report, field.partition(".")[0]).child("security.groups" if "." in field else "groups")
            at.problem(f"no policy is in the group '{group}'", did_you_mean_id(group, groups))
