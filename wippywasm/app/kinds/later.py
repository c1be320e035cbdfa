"""Kinds of SPEC section 2 that this version can't run; naming one is a clear problem, not an unknown kind."""

from __future__ import annotations

LATER_KINDS = ("security.policy.expr",)
