"""Names with attributes, as imports and exports carry them.

In: a `Reader` at a `nameattributes`. Out: the name, parsed, with its attributes checked.
Spec: component-model `Binary.md`, import and export definitions.
"""

from __future__ import annotations

from typing import NamedTuple

from wippywasm.binary import features as gates
from wippywasm.binary.limits import ANNOTATED_NAME, BYTES_OF_NAME
from wippywasm.binary.name_parts import CANONICAL_VERSION, NameSyntaxError, is_semver
from wippywasm.binary.names import ExternName, parse_extern_name, parse_interface_name
from wippywasm.binary.nodes import Entity, InstanceNode
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import Context
from wippywasm.errors import ValidationError

IMPLEMENTS, VERSION_SUFFIX, EXTERNAL_ID = 0, 1, 2
ATTRIBUTES = {IMPLEMENTS: "implements", VERSION_SUFFIX: "versionsuffix", EXTERNAL_ID: "external-id"}


class NameWithAttributes(NamedTuple):
    """A parsed name; `attributes` by their names in the text format."""

    name: ExternName
    attributes: dict[str, str]
    offset: int

    def check_entity(self, entity: Entity) -> None:
        """`implements` is for instances with plain names."""
        if "implements" not in self.attributes:
            return
        if not isinstance(entity, InstanceNode):
            raise ValidationError("only instances can have an `implements`", self.offset)
        if self.name.kind != "label":
            raise ValidationError(f"name `{self.name.text}` is not valid with `implements`", self.offset)


def read_name(reader: Reader, context: Context) -> NameWithAttributes:
    """Read a name and what follows it, and check all that can be told without its type."""
    offset = reader.pos
    form = reader.byte()
    if form > 2:
        raise reader.bad_byte(form, "an import or export name", offset)
    text = reader.name()
    context.budget.spend(len(text) // BYTES_OF_NAME, offset)
    name = _parsed(text, context, offset)
    if name.resource:
        context.budget.spend(ANNOTATED_NAME, offset)
    attributes = _read_attributes(reader, context) if form == 2 else {}
    if attributes:
        _check_version_suffix(name, attributes, offset)
    return NameWithAttributes(name, attributes, offset)


def _parsed(text: str, context: Context, offset: int) -> ExternName:
    try:
        return parse_extern_name(text, context.features)
    except NameSyntaxError as error:
        raise ValidationError(str(error), offset) from None


def _read_attributes(reader: Reader, context: Context) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for _ in range(reader.count("attributes")):
        offset = reader.pos
        kind = reader.byte()
        if kind not in ATTRIBUTES:
            raise reader.bad_byte(kind, "an attribute of a name", offset)
        attribute = ATTRIBUTES[kind]
        gate = gates.CANONICAL_NAMES if kind == VERSION_SUFFIX else gates.ANNOTATIONS
        context.require(gate, f"`{attribute}`", offset)
        if attribute in attributes:
            raise ValidationError(f"`{attribute}` is given more than once", offset)
        attributes[attribute] = reader.name()
        if kind == IMPLEMENTS:
            _check_implements(attributes[attribute], context, offset)
    return attributes


def _check_implements(text: str, context: Context, offset: int) -> None:
    if not text:
        raise ValidationError("the `implements` of an import or export is empty: not a valid name", offset)
    if ":" not in text:
        raise ValidationError(f"`{text}` in `implements` must be an interface name", offset)
    try:
        parse_interface_name(text, context.features)
    except NameSyntaxError as error:
        raise ValidationError(str(error), offset) from None


def _check_version_suffix(name: ExternName, attributes: dict[str, str], offset: int) -> None:
    suffix = attributes.get("versionsuffix")
    if suffix is None:
        return
    if not CANONICAL_VERSION.match(name.version):
        raise ValidationError(f"`versionsuffix` needs a canonical version in the name `{name.text}`", offset)
    if not is_semver(name.version + suffix):
        raise ValidationError(f"`{name.version}{suffix}` is not a valid semver", offset)
