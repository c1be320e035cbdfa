"""Stores from an engine's pool, for components of which many instances are made.

In: a linked component whose modules are compiled. Out: its recipe for the pool's engine, and a store there for a new
instance; None where the engine has no pool, the pool no room, or the component too much for it.

The pool is asked once some instances have been made: the code of the modules is there a second time then.
"""

from __future__ import annotations

import threading
from typing import Any

from wippywasm.core import CoreMemoryType, CoreTableType
from wippywasm.engine.port import Engine, Module, Pool, Store, StoreLimits
from wippywasm.instance.recipe import Code, Recipe
from wippywasm.plan import Plan
from wippywasm.plan.items import CoreExportRef
from wippywasm.plan.steps import DefineResource, LowerFunc

AFTER = 8
"""Instances that are made without the pool."""
MOST_INSTANCES, MOST_MEMORIES, MOST_TABLES, MOST_REALLOCS = 8, 2, 4, 8
MOST_BYTES = 4 << 20
"""Modules that are larger than this together take longer to start than an instance takes to make."""


class PooledStores:
    """What one linked component has of its engine's pool."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._made = 0
        self._entered: tuple[Recipe, Pool] | None = None
        self.stays_out = not hasattr(engine, "pool")
        """Whether it never has stores there."""

    def take(self, recipe: Recipe, limits: StoreLimits) -> tuple[Recipe, Store] | None:
        """A store in the pool, and the recipe to use there; `recipe` is that of the engine itself."""
        if self._entered is None and not self._enter(recipe):
            return None
        assert self._entered is not None
        own, pool = self._entered
        store = pool.take_store(limits)
        return None if store is None else (own, store)

    def _enter(self, recipe: Recipe) -> bool:
        """Take the modules over into the pool's engine, where it is time for that and they fit in."""
        with self._lock:
            self._made += 1
            if self._made <= AFTER or self.stays_out or self._entered is not None:
                return self._entered is not None
            find: Any = getattr(self._engine, "pool", None)
            pool: Pool | None = find() if _fits(recipe) else None
            code = None if pool is None else _adopted(pool, recipe.code)
            if pool is None or code is None:
                self.stays_out = True
                return False
            self._entered = Recipe(recipe.plan, recipe.linked, code), pool
            return True


def _adopted(pool: Pool, code: Code) -> Code | None:
    own, hosts = ([pool.adopt(m) for m in modules] for modules in (code.modules, code.host_modules))
    modules, host_modules = _all(own), _all(hosts)
    return None if modules is None or host_modules is None else Code(modules, host_modules)


def _all(modules: list[Module | None]) -> tuple[Module, ...] | None:
    found = tuple(m for m in modules if m is not None)
    return found if len(found) == len(modules) else None


def _fits(recipe: Recipe) -> bool:
    """Whether instances have memories for a pool to give, and not too much of anything."""
    parts = list(recipe.parts.values())
    defined = [t for part in parts for t in _defined(part.module)]
    memories = [t for t in defined if isinstance(t, CoreMemoryType)]
    code = [m.wasm for m in recipe.plan.modules] + [m.wasm for m in recipe.linked.modules]
    return (
        len(parts) <= MOST_INSTANCES
        and 1 <= len(memories) <= MOST_MEMORIES
        and len(defined) - len(memories) <= MOST_TABLES
        and not any(m.is_64 or m.shared for m in memories)
        and sum(map(len, code)) <= MOST_BYTES
        and _has_few_helpers(recipe.plan)
    )


def _has_few_helpers(plan: Plan) -> bool:
    """Whether the instances of ours that come with a guest's are bounded: a loop for each `realloc` (`engine.batch`),
    a shim for each part, and none before host functions that the host itself calls."""
    options = [s.options for s in plan.steps if isinstance(s, LowerFunc)] + [lift.options for lift in plan.lifts]
    reallocs = {o.realloc for o in options} - {None}
    called = [lift.core for lift in plan.lifts] + [o.post_return for o in options] + [*reallocs]
    called += [s.dtor for s in plan.steps if isinstance(s, DefineResource)]
    return len(reallocs) <= MOST_REALLOCS and all(ref is None or isinstance(ref, CoreExportRef) for ref in called)


def _defined(module: Any) -> list[CoreMemoryType | CoreTableType]:
    """The memories and tables that a module has of its own."""
    info = module.info
    types = [i.type for i in info.imports]
    memories = info.memories[sum(isinstance(t, CoreMemoryType) for t in types) :]
    tables = info.tables[sum(isinstance(t, CoreTableType) for t in types) :]
    return [*memories, *tables]
