"""The kinds of entries there are, one table per group: adding a kind is adding a row.

Spec: SPEC section 2.
"""

from __future__ import annotations

from wippywasm.app.kinds.data import DATA_KINDS
from wippywasm.app.kinds.env import ENV_KINDS
from wippywasm.app.kinds.fs import FS_KINDS
from wippywasm.app.kinds.http import HTTP_KINDS
from wippywasm.app.kinds.later import LATER_KINDS
from wippywasm.app.kinds.lua import LUA_KINDS
from wippywasm.app.kinds.processes import PROCESS_KINDS
from wippywasm.app.kinds.security import SECURITY_KINDS
from wippywasm.app.kinds.tokens import TOKEN_KINDS
from wippywasm.app.kinds.wasm import WASM_KINDS
from wippywasm.app.schema.kind import Kind

_GROUPS = (
    FS_KINDS,
    ENV_KINDS,
    WASM_KINDS,
    LUA_KINDS,
    PROCESS_KINDS,
    HTTP_KINDS,
    DATA_KINDS,
    SECURITY_KINDS,
    TOKEN_KINDS,
)
KINDS: dict[str, Kind] = {kind.name: kind for group in _GROUPS for kind in group}

__all__ = ["KINDS", "LATER_KINDS"]
