"""A file to what is known of it.

In: a path. Out: `Inspection`; one typed error for a file that is no module, component or WIT package.

A binary that can't be planned or run here is inspected all the same, as far as it goes; `problems` says why.

Spec: SPEC section 13.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from wippywasm.errors import BinaryError
from wippywasm.inspect.definition import Subject, define
from wippywasm.inspect.exports import exported_functions, exported_types
from wippywasm.inspect.files import read
from wippywasm.inspect.graph import graph_of
from wippywasm.inspect.imports import grouped, to_declare, to_supply, unlinkable
from wippywasm.inspect.lacking import lacking
from wippywasm.inspect.model import ExportedFunction, Graph, Inspection
from wippywasm.inspect.modules import engine_fits, sections
from wippywasm.inspect.parts import Parts, parts_of
from wippywasm.instance.functions import find_key
from wippywasm.plan.mangle import REALLOCS


def inspect(
    path: str | os.PathLike[str], *, app: str | os.PathLike[str] = ".", method: str | None = None
) -> Inspection:
    """Everything about the file at `path`, with entries for an app in the folder `app`.

    `method` names the one function to write an entry for; each gets one otherwise. Raises NotFoundError for a file or a
    function that is not there, BinaryError, WatSyntaxError or InvalidError for a file that is nothing known.
    """
    file = read(Path(path))
    try:
        parts = parts_of(file)
    except BinaryError as error:
        raise error.of_file(str(file.path)) from None
    types = {} if parts.plan is None else exported_types(parts.plan)
    functions = tuple(exported_functions(types))
    groups = grouped(parts.imports)
    declare = to_declare(groups)
    engines = engine_fits(parts.modules)
    unlinked, supply = unlinkable(groups), to_supply(groups, parts.kind)
    notes = unlinked if supply is None else (*unlinked, supply)
    subject = Subject(
        file.path, Path(app), file.digest, declare, parts.types, file.text, _allocates(parts), engines, notes
    )
    return Inspection(
        path=str(file.path),
        kind=parts.kind,
        is_text=file.text is not None,
        size=file.size,
        digest=file.digest,
        texts=parts.texts,
        exports=functions,
        other_exports=parts.other_exports,
        groups=groups,
        declare=declare,
        modules=parts.modules,
        customs=sections(parts.customs),
        producers=parts.producers,
        engines=engines,
        tree=parts.tree,
        draw=Graph if parts.plan is None else partial(graph_of, parts.plan, parts.module_names),
        definition=define(subject, _chosen(functions, method)),
        problems=(*parts.problems, *unlinked, *([] if parts.plan is None else lacking(parts.plan, types))),
    )


def _allocates(parts: Parts) -> bool:
    return parts.kind == "module" and any(export.name in REALLOCS for export in parts.other_exports)


def _chosen(functions: Sequence[ExportedFunction], method: str | None) -> Sequence[ExportedFunction]:
    if method is None:
        return functions
    by_key = {f.key: f for f in functions}
    return [by_key[find_key(method, by_key)]]
