"""The middleware that routers name, and its options: `cors.allow.origins: "https://example.com"`.

In: the fields `middleware` and `options` of an entry. Out: stages with values for all their options, or problems.
Options may be text, as Wippy has them, or what YAML makes of the same letters.
Spec: SPEC section 12.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from wippywasm.app.definition.node import Node
from wippywasm.app.ids import is_id
from wippywasm.app.schema.durations import parse_duration
from wippywasm.app.schema.scope import Scope
from wippywasm.app.schema.types import refuse
from wippywasm.app.suggest import did_you_mean, listing
from wippywasm.dataclass import dataclass

Read = Callable[[str], Any]
"""From the text of an option to its value; raises ValueError with what was expected."""


@dataclass(frozen=True)
class Option:
    """An option: how it is read, and its text where none is given; None where it must be given."""

    read: Read
    default: str | None = ""


@dataclass(frozen=True)
class Stage:
    """One middleware of a chain with its options, by their names without the middleware's own."""

    name: str
    options: Mapping[str, Any]


def _number(minimum: int) -> Read:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= minimum):
            raise ValueError(f"a whole number, {minimum} or more")
        return int(text)

    return read


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _duration(text: str) -> float:
    seconds = parse_duration(text)
    if not seconds:
        raise ValueError("a length of time such as 30s or 1m")
    return seconds


def _choice(*words: str) -> Read:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text

    return read


def _key(text: str) -> str:
    kind, colon, name = text.partition(":")
    if text != "ip" and not (colon and name and kind in ("header", "query")):
        raise ValueError("ip, header:NAME or query:NAME")
    return text


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("the id of an entry, namespace:name")
    return text


def _networks(text: str) -> tuple[Any, ...]:
    try:
        return tuple(ipaddress.ip_network(word) for word in _words(text))
    except ValueError:
        raise ValueError("ranges of addresses such as 10.0.0.0/8, with commas between them") from None


_PRIVATE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7"

PRE: Mapping[str, Mapping[str, Option]] = {
    "cors": {
        "allow.origins": Option(_words, "*"),
        "allow.methods": Option(_words, "GET,POST,PUT,DELETE,OPTIONS,PATCH"),
        "allow.headers": Option(_words, "Origin,Content-Type,Accept,Authorization,X-Requested-With"),
        "expose.headers": Option(_words),
        "allow.credentials": Option(_flag, "false"),
        "max.age": Option(_number(0), "86400"),
        "allow.private.network": Option(_flag, "false"),
    },
    "ratelimit": {
        "requests": Option(_number(1), "100"),
        "window": Option(_duration, "1m"),
        "burst": Option(_number(1), "20"),
        "key": Option(_key, "ip"),
        "cleanup_interval": Option(_duration, "5m"),
        "entry_ttl": Option(_duration, "10m"),
        "max_entries": Option(_number(1), "100000"),
    },
    "compress": {
        "level": Option(_choice("fastest", "default", "best"), "default"),
        "min.length": Option(_number(0), "1024"),
    },
    "token_auth": {
        "store": Option(_id, None),
        "header.name": Option(str, "Authorization"),
        "header.prefix": Option(str, "Bearer "),
        "query.param": Option(str, "x-auth-token"),
        "cookie.name": Option(str, "x-auth-token"),
    },
    "real_ip": {
        "trusted.subnets": Option(_networks, _PRIVATE),
        "trust_all": Option(_flag, "false"),
    },
}
"""What runs for every request to a router, found or not."""

POST: Mapping[str, Mapping[str, Option]] = {
    "endpoint_firewall": {"action": Option(str, "access")},
    "resource_firewall": {"action": Option(str, "access"), "target": Option(str, None)},
}
"""What runs once an endpoint is found."""

LATER_PRE = ("metrics", "sendfile", "otel")
LATER_POST = ("websocket_relay", "sse_relay")


@dataclass(frozen=True)
class Options:
    """The type of `options` and `post_options`: gives every option by its full name, as the value that it has."""

    table: Mapping[str, Mapping[str, Option]]
    words: str = "a mapping of options, such as {cors.allow.origins: '*'}"

    def check(self, node: Node, scope: Scope) -> Mapping[str, Any] | None:
        if not node.is_mapping:
            refuse(node, scope, self.words)
            return None
        values = {name: self._value(name, child, scope) for name, child in node.mapping.items()}
        return MappingProxyType(values)

    def _value(self, name: str, node: Node, scope: Scope) -> Any:
        middleware, _, rest = name.partition(".")
        option = self.table.get(middleware, {}).get(rest)
        if option is None:
            names = [f"{m}.{o}" for m, options in self.table.items() for o in options]
            near = did_you_mean(name, names) or f"the options here are {listing(names, 30)}"
            scope.child(name, node).problem("no such option", near)
            return None
        try:
            return option.read(_text(node))
        except ValueError as error:
            refuse(node, scope.child(name, node), str(error))
            return None


def stages(
    names: Sequence[str], given: Mapping[str, Any], table: Mapping[str, Mapping[str, Option]]
) -> tuple[Stage, ...]:
    """The stages of a chain, each with what is given and the defaults for the rest."""
    return tuple(Stage(name, _with_defaults(name, given, table[name])) for name in names)


def missing(stage: Stage) -> str | None:
    """The first option of a stage that must be given and is not, by its full name."""
    return next((f"{stage.name}.{name}" for name, value in stage.options.items() if value is None), None)


def _with_defaults(name: str, given: Mapping[str, Any], options: Mapping[str, Option]) -> Mapping[str, Any]:
    return MappingProxyType(
        {
            option: given.get(f"{name}.{option}", None if o.default is None else o.read(o.default))
            for option, o in options.items()
        }
    )


def _text(node: Node) -> str:
    value = node.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise ValueError("text")
