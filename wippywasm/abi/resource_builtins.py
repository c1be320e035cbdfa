"""The canonical built-ins that guests import for their own resources.

In: a resource type and the instance that uses it. Out: core functions over handle indices.

Spec: `CanonicalABI.md`, "`canon resource.new`", "`canon resource.drop`", "`canon resource.rep`".
"""

from __future__ import annotations

from collections.abc import Callable

from wippywasm.abi import traps
from wippywasm.abi.destroying import destroy
from wippywasm.abi.handles import check_not_lent, depart, get_handle, keep_moving, signed
from wippywasm.abi.state import ComponentInstance, ResourceHandle, RuntimeResource
from wippywasm.errors import Trap

_M32 = 0xFFFF_FFFF


def resource_new(resource: RuntimeResource, instance: ComponentInstance) -> Callable[[int], int]:
    """`canon resource.new`: representation in, handle index out."""

    name = f"resource.new {resource.name}".rstrip()

    def resource_new(rep: int) -> int:
        if not instance.may_leave:
            traps.cannot_leave(name)
        try:
            return instance.handles.add(ResourceHandle(resource, rep & _M32, own=True))
        except Trap as error:
            traps.tell(error, name, "in")
            raise

    return resource_new


def resource_drop(resource: RuntimeResource, instance: ComponentInstance) -> Callable[[int], None]:
    """`canon resource.drop`: handle index in; runs the destructor of an owned one."""

    name = f"resource.drop {resource.name}".rstrip()

    def resource_drop(index: int) -> None:
        if not instance.may_leave:
            traps.cannot_leave(name)
        index &= _M32
        try:
            handle = get_handle(instance, index, resource)
            check_not_lent(handle)
        except Trap as error:
            traps.tell(error, name, "in")
            raise
        try:
            depart(instance, index, handle)
            if handle.own:
                destroy(handle, instance)
            elif handle.borrow_scope is not None:
                handle.borrow_scope.num_borrows -= 1
        except BaseException:
            keep_moving(instance, [(handle, resource)])  # Ctrl-C may come before its destructor begins
            raise

    return resource_drop


def resource_rep(resource: RuntimeResource, instance: ComponentInstance) -> Callable[[int], int]:
    """`canon resource.rep`: handle index in, representation out."""

    name = f"resource.rep {resource.name}".rstrip()

    def resource_rep(index: int) -> int:
        try:
            return signed(get_handle(instance, index & _M32, resource).rep)
        except Trap as error:
            traps.tell(error, name, "in")
            raise

    return resource_rep
