"""Spans of what guests ask of their hosts.

In: the interfaces that a guest imports. Out: the same, each function of which puts its call into a span,
`ns:pkg/iface#name`; one that waits has its span until it is done. Methods of resources are not traced: they come by the
thousand.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from wippywasm.app.observe.spans import Spans
from wippywasm.instance.names import snake
from wippywasm.instance.offered import HostInterface, offered_types
from wippywasm.instance.waiting import waits


def traced(imports: Mapping[str, object], spans: Spans) -> dict[str, object]:
    """The imports, by the same names."""
    return {
        name: _interface(given, spans) if isinstance(given, HostInterface) else given for name, given in imports.items()
    }


def _interface(interface: HostInterface, spans: Spans) -> HostInterface:
    same = copy.copy(interface)
    for function in offered_types()[interface.wit].functions:
        if not function.startswith("["):
            name = snake(function)
            setattr(same, name, _function(getattr(interface, name), f"{interface.wit}#{function}", spans))
    return same


def _function(call: Callable[..., Any], name: str, spans: Spans) -> Callable[..., Any]:
    def within(*args: Any) -> Any:
        end = spans.begin(name)
        try:
            result = call(*args)
        except BaseException as error:
            end(error)
            raise
        if waits(result):
            return _waited(result, end)
        end(None)
        return result

    return within


async def _waited(result: Awaitable[Any], end: Callable[[BaseException | None], None]) -> Any:
    try:
        value = await result
    except BaseException as error:
        end(error)
        raise
    end(None)
    return value
