"""What of a binary this runtime can't do yet, though it loads and the rest of it runs.

In: a plan. Out: sentences for `Inspection.problems`.

Spec: `CanonicalABI.md` ("`canon lift`", "`canon lower`", the built-ins of asynchronous components).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wippywasm.instance.builtins import RUNNING
from wippywasm.model import FuncType
from wippywasm.plan import Plan
from wippywasm.plan.steps import CanonicalBuiltin, LowerFunc

_MOST = 5


def lacking(plan: Plan, functions: Mapping[str, FuncType]) -> Iterator[str]:
    """One sentence for each kind of thing whose call is refused with `UnsupportedFeatureError`.

    `functions` are those that it exports.
    """
    exports = [key for key, type in functions.items() if type.is_async]
    if exports:
        yield f"asynchronous functions can't be called yet: {_some(exports)}"
    if any(isinstance(s, LowerFunc) and (s.type.is_async or s.options.is_async) for s in plan.steps):
        yield "it calls functions asynchronously, which is refused when it does"
    names = dict.fromkeys(s.name for s in plan.steps if isinstance(s, CanonicalBuiltin) and s.name not in RUNNING)
    if names:
        yield f"built-ins that are refused when it calls them: {_some(list(names))}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:_MOST]) + f" and {len(names) - _MOST} more" * (len(names) > _MOST)
