"""The settings of an app: `.wippy.yaml` in its folder.

In: that file, if it is there. Out: `AppSettings`. Sections that are not ours are left alone. Spec: SPEC sections 4
and 10.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Any

from wippywasm.app.definition.node import Node
from wippywasm.app.definition.reader import YamlError, read_documents
from wippywasm.app.observe.settings import SECTIONS, ObserveSettings, observe_settings
from wippywasm.app.paths import PathError, read_text
from wippywasm.app.pools.cores import Cores, reserve, usable_cores
from wippywasm.app.report import At, Report
from wippywasm.app.schema.scope import Scope
from wippywasm.app.schema.types import Bool, Field, Int, Struct
from wippywasm.dataclass import dataclass

NAME = ".wippy.yaml"
MAX_BYTES = 1 << 20

_ISOLATION = Struct({"enabled": Field(Bool()), "reserved_cores": Field(Int(1, 10_000))})
_SETTINGS = {
    "scheduler": Field(Struct({"wasm_isolation": Field(_ISOLATION)}, is_open=True)),
    "security": Field(Struct({"strict_mode": Field(Bool())})),
    **SECTIONS,
}


@dataclass(frozen=True)
class AppSettings:
    """`cores` are those of `scheduler.wasm_isolation`, `strict` is `security.strict_mode`, `observe` what is shown."""

    cores: Cores = field(default_factory=Cores)
    strict: bool = False
    observe: ObserveSettings = field(default_factory=ObserveSettings)


def read_settings(app: Path, report: Report) -> AppSettings:
    """The settings of the app in a folder; what is wrong with them goes to the report."""
    file = app / NAME
    if not file.exists():
        return AppSettings()
    at = At(report, str(file))
    for document in _documents(file, at):
        if not document.is_mapping:
            at.on(document).problem("settings are a mapping, such as 'scheduler:'")
            continue
        scope = Scope(at, "", app, file)
        known = {name: node for name, node in document.mapping.items() if name in _SETTINGS}
        checked = {name: _SETTINGS[name].type.check(node, scope.child(name, node)) for name, node in known.items()}
        strict = (checked.get("security") or {}).get("strict_mode")
        return AppSettings(_cores(checked, at), bool(strict), observe_settings(checked))
    return AppSettings()


def _documents(file: Path, at: At) -> list[Node]:
    try:
        documents, complaints = read_documents(read_text(file, str(file), MAX_BYTES))
    except PathError as error:
        at.problem(error.message, error.hint)
        return []
    except YamlError as error:
        documents, complaints = [], [error.complaint]
    for complaint in complaints:
        At(at.report, at.path, complaint.line).problem(complaint.message, complaint.hint)
    return [document for document in documents if document.value is not None]


def _cores(checked: dict[str, Any], at: At) -> Cores:
    isolation = (checked.get("scheduler") or {}).get("wasm_isolation") or {}
    if not isolation.get("enabled"):
        return Cores()
    count = isolation.get("reserved_cores") or 1
    cores = reserve(count)
    if cores is None:
        have = len(usable_cores())
        said = f"{count} of {have} cores can't be reserved: one at least is for everything else; none is reserved"
        at.child("scheduler.wasm_isolation.reserved_cores").warning(said)
    return cores or Cores()
