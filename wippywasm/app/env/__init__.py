"""Environment variables of an app: where values are kept, and the names that they are read by.

In: `env.*` entries. Out: an `Environment` that Lua, guests and `${env:NAME}` in definition files read.
Spec: SPEC section 2.
"""

from __future__ import annotations

from wippywasm.app.env.build import build_environment
from wippywasm.app.env.environment import Environment
from wippywasm.app.env.placeholders import interpolate

__all__ = ["Environment", "build_environment", "interpolate"]
