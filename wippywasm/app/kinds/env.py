"""Environment storages and variables. Spec: SPEC section 2."""

from __future__ import annotations

import re

from wippywasm.app.env.build import STORAGES
from wippywasm.app.schema.file_types import Mode
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.types import Bool, Field, ListOf, MapOf, Ref, Scalar, Text, required

_NAME = re.compile(r"[A-Za-z0-9_]+")


def _variable_name(name: str) -> str | None:
    return None if _NAME.fullmatch(name) else f"'{name}' can't be a variable: letters, digits and '_' only"


_FILE = {
    "file_path": required(Text(words="a file of NAME=value lines, relative to the app folder")),
    "auto_create": Field(Bool()),
    "file_mode": Field(Mode()),
    "dir_mode": Field(Mode()),
}
_VARIABLE = {
    "variable": Field(Text(words="the public name of the variable", rule=_variable_name)),
    "storage": required(Ref(STORAGES)),
    "default": Field(Scalar()),
    "readonly": Field(Bool()),
}

ENV_KINDS = (
    Kind("env.storage.os", {}),
    Kind("env.storage.memory", {}),
    Kind("env.storage.file", _FILE),
    Kind("env.storage.static", {"values": required(MapOf(Scalar()))}),
    Kind("env.storage.router", {"storages": required(ListOf(Ref(STORAGES), minimum=1))}),
    Kind("env.variable", _VARIABLE),
)
