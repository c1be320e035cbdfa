"""Lua's `logger`: records of Python's `logging`, under `wippywasm.lua`.

In: a level, a name, a message, fields. Out: a record whose `fields`, `entry`, `pid` and `location` (`file:line`) say
where it is from; what becomes of it is the business of whoever runs the app. Spec: SPEC section 11.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from wippywasm.app.context import current
from wippywasm.app.lua.host import LuaCaller, Operation

LOGGER = "wippywasm.lua"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
MAX_MESSAGE = 64 << 10
"""Characters of a message; what is longer is cut."""


def operations() -> Mapping[str, Operation]:
    """What the module asks for."""
    return {"logger.log": _log}


def _log(caller: LuaCaller, level: str, name: str, message: Any, fields: Any, location: str) -> None:
    logger = logging.getLogger(f"{LOGGER}.{name}" if name else LOGGER)
    if not logger.isEnabledFor(_LEVELS[level]):
        return
    context = current()
    facts = {
        "fields": fields if isinstance(fields, Mapping) else {},
        "entry": context.entry or caller.id,
        "pid": context.pid,
        "location": location,
    }
    logger.log(_LEVELS[level], "%s", str(message)[:MAX_MESSAGE], extra=facts)
