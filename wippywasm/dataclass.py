"""`dataclass` of the standard library, whose methods are compiled when they are first looked up.

In: a class, as `dataclasses.dataclass` takes it. Out: the class with its fields; `fields`, `replace` and `match` work.

The standard library compiles up to seven methods per class when a module is imported, which takes a third of a
millisecond; this package has hundreds of classes, and a process that calls one function makes objects of a few dozen.
Here, a class costs a twentieth of that until somebody makes, compares or prints its objects. From then on it is as
quick: what is looked up for the first time takes its own place in the class. Type checkers see the library's own.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from functools import partial
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]


class _Factory:
    """The default, in a signature, of what a function makes for each object."""

    def __repr__(self) -> str:
        return "<factory>"


_ORDERS = {"__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
_FACTORY = _Factory()
MOST_SHOWN = 1_000
"""The objects within one whose `repr` has their fields."""
_shown = threading.local()


def _dataclass(
    cls: type | None = None,
    /,
    *,
    init: bool = True,
    repr: bool = True,
    eq: bool = True,
    order: bool = False,
    frozen: bool = False,
    slots: bool = False,
) -> Any:
    if cls is None:
        return partial(_dataclass, init=init, repr=repr, eq=eq, order=order, frozen=frozen, slots=slots)
    written = {name for name, value in vars(cls).items() if value is not None}  # `__eq__` alone makes `__hash__` None
    made = _with_fields(cls, slots)
    if frozen:
        _freeze(made, slots)
    wanted = {"__init__": init, "__repr__": repr, "__eq__": eq, "__hash__": eq and frozen}
    for name in [n for n, is_wanted in wanted.items() if is_wanted and n not in written] + [*_ORDERS] * order:
        setattr(made, name, _Later(made, name, frozen))
    if eq and not frozen and "__hash__" not in written:
        made.__hash__ = None
    return made


def _with_fields(cls: type, slots: bool) -> Any:
    """The class with its fields found, and nothing compiled."""
    doc, cls.__doc__ = cls.__doc__, cls.__name__  # the library would write a signature where there is none
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    made.__doc__ = doc
    return made


class _Later:
    """Stands for a method until that is looked up."""

    __slots__ = ("_frozen", "_name", "_owner")

    def __init__(self, owner: Any, name: str, frozen: bool) -> None:
        self._owner = owner
        self._name = name
        self._frozen = frozen

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        function = _function(self._owner, self._name, self._frozen)
        function.__module__ = self._owner.__module__
        function.__qualname__ = f"{self._owner.__qualname__}.{self._name}"
        setattr(self._owner, self._name, function)
        return function if instance is None else function.__get__(instance, owner)


def _function(owner: Any, name: str, frozen: bool) -> Any:
    if name == "__init__":
        return _init(owner, frozen)
    if name == "__repr__":
        return recursive_repr()(_repr)
    compared = [f.name for f in fields(owner) if f.compare]
    if name == "__hash__":
        hashed = [f.name for f in fields(owner) if (f.compare if f.hash is None else f.hash)]
        return _compiled(name, "self", [f"return hash({_tuple_of('self', hashed)})"], {})
    sides = f"{_tuple_of('self', compared)} {_ORDERS.get(name, '==')} {_tuple_of('other', compared)}"
    return _compiled(
        name, "self, other", [f"return {sides} if other.__class__ is self.__class__ else NotImplemented"], {}
    )


def _tuple_of(name: str, attributes: list[str]) -> str:
    return f"({''.join([f'{name}.{a}, ' for a in attributes])})"


def _repr(self: Any) -> str:
    """As the library has it; but what one object leads to is cut: as a tree, objects that share others have no end."""
    left = getattr(_shown, "left", None)
    if left == 0:
        return f"{self.__class__.__qualname__}(…)"
    _shown.left = MOST_SHOWN if left is None else left - 1
    try:
        return _fields_of(self)
    finally:
        if left is None:
            _shown.left = None


def _fields_of(self: Any) -> str:
    shown = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr]
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _init(owner: Any, frozen: bool) -> Any:
    found = fields(owner)
    named = [f for f in found if f.init and f.kw_only]
    taken = [_parameter(f) for f in found if f.init and not f.kw_only]
    parameters = [*taken, *["*"] * bool(named), *map(_parameter, named)]
    assign = "_set(self, {0!r}, {1})" if frozen else "self.{0} = {1}"
    lines = [assign.format(f.name, value) for f in found for value in _values(f, "__slots__" in vars(owner))]
    lines += ["self.__post_init__()"] * hasattr(owner, "__post_init__")
    scope: dict[str, Any] = {"_set": object.__setattr__, "_factory": _FACTORY}
    scope.update({f"_default_{f.name}": f.default for f in found})
    scope.update({f"_make_{f.name}": f.default_factory for f in found})
    init = _compiled("__init__", ", ".join(["self", *parameters]), lines or ["pass"], scope)
    init.__annotations__ = {**{f.name: f.type for f in found if f.init}, "return": None}
    return init


def _parameter(f: Field[Any]) -> str:
    if f.default is not MISSING:
        return f"{f.name}=_default_{f.name}"
    return f.name if f.default_factory is MISSING else f"{f.name}=_factory"


def _values(f: Field[Any], slots: bool) -> Iterator[str]:
    """What the field is set to by `__init__`, if anything."""
    if f.default_factory is not MISSING:
        yield f"_make_{f.name}() if {f.name} is _factory else {f.name}" if f.init else f"_make_{f.name}()"
    elif f.init:
        yield f.name
    elif slots and f.default is not MISSING:  # elsewhere, the class has it
        yield f"_default_{f.name}"


def _compiled(name: str, parameters: str, lines: list[str], scope: Mapping[str, Any]) -> Any:
    made: dict[str, Any] = {}
    source = f"def {name}({parameters}):\n" + "".join([f"  {line}\n" for line in lines])
    exec(source, dict(scope), made)
    return made[name]


def _freeze(made: Any, slots: bool) -> None:
    made.__setattr__ = _set
    made.__delattr__ = _delete
    if slots and "__getstate__" not in vars(made):  # for `copy` and `pickle`, which else would set attributes
        made.__getstate__ = _state
        made.__setstate__ = _set_state


def _set(self: Any, name: str, value: object) -> None:
    if _is_frozen(self, name):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delete(self: Any, name: str) -> None:
    if _is_frozen(self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _is_frozen(self: Any, name: str) -> bool:
    """All of a dataclass; of a class under one that is none itself, only its fields."""
    return name in self.__dataclass_fields__ or "__dataclass_fields__" in vars(type(self))


def _state(self: Any) -> list[Any]:
    return [getattr(self, f.name) for f in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for f, value in zip(fields(self), state):
        object.__setattr__(self, f.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass: Callable[..., Any] = _dataclass
