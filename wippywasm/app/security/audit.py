"""A line for each denial.

In: denials. Out: warnings of the logger `wippywasm.audit`, each with its facts in the text and in `record.denial`.
Spec: SPEC section 10.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

from wippywasm.dataclass import dataclass

LOGGER = logging.getLogger("wippywasm.audit")
MAX_TEXT = 512
"""Characters of each fact in a line: resources may be a guest's own texts."""


@dataclass(frozen=True)
class Denial:
    """`policy` is the id of the policy that denied, None where none allowed; `entry` and `pid` whose code asked."""

    action: str
    resource: str
    actor: str | None
    policy: str | None
    reason: str
    entry: str | None = None
    pid: str | None = None


def record(denial: Denial) -> None:
    """Write the line; a text from a guest can't make a second one of it."""
    facts = {name: _cut(value) for name, value in asdict(denial).items() if value is not None}
    line = " ".join(f"{name}={json.dumps(value)}" for name, value in facts.items())
    LOGGER.warning("denied %s", line, extra={"denial": facts})


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
