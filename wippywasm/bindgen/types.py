"""The named types of a module as Python classes and aliases, and the table in which `Bindings` finds them.

In: a module with its names. Out: lines. Records are dataclasses; a variant is the union of a dataclass for each case,
which has its payload as `value`; enums, and the members of flags, are enumerations whose values are their WIT names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

from wippywasm import model
from wippywasm.bindgen.annotations import annotation
from wippywasm.bindgen.modules import Module, Modules, is_used
from wippywasm.bindgen.names import Pool, attribute_names, member_name
from wippywasm.bindgen.text import Lines, string
from wippywasm.wit import TypeDef
from wippywasm.wit.compare import parts


def write_classes(module: Module, modules: Modules, lines: Lines) -> None:
    """The types that have classes of their own, but for resources."""
    for t in module.types.values():
        if module.is_own(t):
            _write_class(t, module, modules, lines)


def write_aliases(module: Module, modules: Modules, lines: Lines) -> None:
    """Other names, behind what they name."""
    for t in _in_order([t for t in module.types.values() if not module.is_own(t)], module):
        _write_alias(t, module, modules, lines)


def _write_class(t: TypeDef, module: Module, modules: Modules, lines: Lines) -> None:
    match t.kind:
        case model.RecordType(fields=fields):
            _write_record(t, fields, module, modules, lines)
        case model.VariantType(cases=cases):
            _write_variant(t, cases, module, modules, lines)
        case model.EnumType(names=names) | model.FlagsType(names=names):
            _write_enum(t, names, module, lines)


def _write_record(t: TypeDef, fields: tuple[model.Field, ...], module: Module, modules: Modules, lines: Lines) -> None:
    with _dataclass(module.names[t], module, lines):
        lines.docs(t.docs)
        names = attribute_names([f.name for f in fields], ())
        for name, field, docs in zip(names, fields, _member_docs(t, len(fields))):
            lines.line(f"{name}: {annotation(field.type, module, modules)}")
            lines.docs(docs)
        if not t.docs and not fields:
            lines.line("pass")


def _write_variant(t: TypeDef, cases: tuple[model.Case, ...], module: Module, modules: Modules, lines: Lines) -> None:
    names = module.cases[t]
    for name, case, docs in zip(names, cases, _member_docs(t, len(cases))):
        with _dataclass(name, module, lines):
            lines.docs(docs)
            if case.type is not None:
                lines.line(f"value: {annotation(case.type, module, modules)}")
            elif not docs:
                lines.line("pass")
    lines.gap(2)
    lines.line(f"{module.names[t]}: {module.use('typing', 'TypeAlias')} = {' | '.join(names)}")
    lines.docs(t.docs)


def _dataclass(name: str, module: Module, lines: Lines) -> AbstractContextManager[None]:
    lines.gap(2)
    lines.line(f"@{module.use('dataclasses', 'dataclass')}(slots=True)")
    return lines.block(f"class {name}:")


def _write_enum(t: TypeDef, names: tuple[str, ...], module: Module, lines: Lines) -> None:
    lines.gap(2)
    pool = Pool()
    with lines.block(f"class {module.names[t]}(str, {module.use('enum', 'Enum')}):"):
        docs = t.docs
        if isinstance(t.kind, model.FlagsType):
            docs = f"{docs}\n\nValues are sets of these." if docs else "Values are sets of these."
        lines.docs(docs)
        for name, doc in zip(names, _member_docs(t, len(names))):
            lines.line(f"{pool.take(member_name(name))} = {string(name)}")
            lines.docs(doc)
        if not docs and not names:
            lines.line("pass")


def _member_docs(t: TypeDef, count: int) -> Iterator[str | None]:
    yield from t.member_docs[:count]
    yield from [None] * (count - len(t.member_docs))


def _write_alias(t: TypeDef, module: Module, modules: Modules, lines: Lines) -> None:
    """Another name: of a type that is used from elsewhere, which is an import, or of one that is here."""
    name, kind = module.names[t], t.kind
    if is_used(t):
        assert isinstance(kind, TypeDef)
        home = modules.home(kind.owner, module)
        modules.import_class(module, home, home.names[kind], name)
        for case, local in zip(home.cases_of(kind), module.cases_of(t)):
            modules.import_class(module, home, case, local)
        return
    if isinstance(kind, TypeDef) and kind in module.names:
        text = module.names[kind]
    else:
        assert isinstance(kind, model.ValType)
        text = annotation(kind, module, modules)
    lines.gap(2)
    lines.line(f"{name}: {module.use('typing', 'TypeAlias')} = {text}")
    lines.docs(t.docs)


def _in_order(aliases: list[TypeDef], module: Module) -> list[TypeDef]:
    """Aliases behind those that they name."""
    done: dict[TypeDef, None] = {}
    every = set(aliases)
    waiting = [iter(aliases)]
    while waiting:
        for t in waiting[-1]:
            if t not in done and t.name is not None and t in module.names:
                inner = [p for p in _named_parts(t) if p in every and p not in done]
                if not inner:
                    done[t] = None
                else:
                    waiting += [iter([t]), iter(inner)]
                    break
        else:
            waiting.pop()
    return list(done)


def _named_parts(t: TypeDef) -> list[TypeDef]:
    """The named types that the definition of one mentions."""
    found: list[TypeDef] = []
    todo: list[object] = [t.kind]
    seen: set[object] = set()
    while todo:
        part = todo.pop()
        if part in seen:
            continue
        seen.add(part)
        if isinstance(part, TypeDef) and part.name is not None:
            found.append(part)
        elif isinstance(part, TypeDef):
            todo.append(part.kind)
        elif isinstance(part, model.OwnType | model.BorrowType):
            todo.append(part.resource)
        elif isinstance(part, model.ValType):
            todo += [inner for _, inner in parts(part)]
    return found


def write_table(module: Module, lines: Lines) -> None:
    """`TYPES`: by WIT name, the classes of the types that are defined here."""
    table = [t for t in module.types.values() if module.is_own(t)]
    if module.direction != "export":
        table = [t for t in table if not t.is_resource]
    lines.gap(2)
    mapping = f"{module.use('collections.abc', 'Mapping')}[str, object]"
    if not table:
        lines.line(f"TYPES: {mapping} = {{}}")
        return
    with lines.block(f"TYPES: {mapping} = {{", "}"):
        for t in table:
            cases = module.cases.get(t)
            value = module.names[t] if cases is None else f"({', '.join(cases)},)"
            lines.line(f"{string(t.name or '')}: {value},")
