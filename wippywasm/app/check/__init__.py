"""Checks that need all entries of an app together: duplicates, references, cycles, commands, processes, HTTP, …"""

from __future__ import annotations

from wippywasm.app.check.commands import check_commands
from wippywasm.app.check.cycles import check_cycles
from wippywasm.app.check.groups import check_groups
from wippywasm.app.check.http import check_http
from wippywasm.app.check.processes import check_processes
from wippywasm.app.check.references import check_duplicates, check_references

__all__ = [
    "check_commands",
    "check_cycles",
    "check_duplicates",
    "check_groups",
    "check_http",
    "check_processes",
    "check_references",
]
