"""WebAssembly modules and components as first-class entries of a registry, beside Lua.

In: wasm, WIT, definition files. Out: callable guests and running apps. Names are loaded when they are first used, so
that importing the package is quick and loads no engine.

    component = wippywasm.load("mapper.wasm")
    with component.instantiate() as guest:
        guest.call("transform-users", users)
"""

from __future__ import annotations

from wippywasm.late import late_names

TYPE_CHECKING = False  # as `typing` has it, which takes long: what a signal does is set after this (cli/main.py)
if TYPE_CHECKING:
    from wippywasm import errors
    from wippywasm.abi import GuestResource, Resource
    from wippywasm.app.application import App
    from wippywasm.composition import compose
    from wippywasm.instance.bindings import Bindings
    from wippywasm.instance.bound_world import BoundWorld, Program, instantiate_bound
    from wippywasm.instance.component import Component
    from wippywasm.instance.guest import Guest
    from wippywasm.instance.limits import Limits
    from wippywasm.instance.link import Undeclared
    from wippywasm.instance.linked_component import LinkedComponent
    from wippywasm.instance.load import load
    from wippywasm.values import Err, Ok, Some, Variant
    from wippywasm.wasi import Wasi

__all__ = [
    "App",
    "Bindings",
    "BoundWorld",
    "Component",
    "Err",
    "Guest",
    "GuestResource",
    "Limits",
    "LinkedComponent",
    "Ok",
    "Program",
    "Resource",
    "Some",
    "Undeclared",
    "Variant",
    "Wasi",
    "compose",
    "errors",
    "instantiate_bound",
    "load",
]

_HOMES = {
    "App": "app.application",
    "Bindings": "instance.bindings",
    "BoundWorld": "instance.bound_world",
    "Program": "instance.bound_world",
    "instantiate_bound": "instance.bound_world",
    "Component": "instance.component",
    "LinkedComponent": "instance.linked_component",
    "Guest": "instance.guest",
    "Limits": "instance.limits",
    "load": "instance.load",
    "Undeclared": "instance.link",
    "GuestResource": "abi",
    "compose": "composition",
    "errors": "",
    "Resource": "abi",
    "Wasi": "wasi",
    "Err": "values",
    "Ok": "values",
    "Some": "values",
    "Variant": "values",
}


__getattr__ = late_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
