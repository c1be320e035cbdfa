"""WIT: text to resolved packages and back.

In: WIT files, folders, texts, or WIT packages in component binary form. Out: a `Resolution` of packages, worlds,
interfaces and types over `wippywasm.model`, or diagnostics with file, line, column and a hint.

    source, lexer, parse_types, parser, syntax      text to a syntax tree
    names, docs, stability, toposort                words, comments, gates, order
    namespace, drafts, define                       one package on its own
    link, include, elaborate, borrows               one package among others
    files, load, resolved, dump                     files to a `Resolution`, and that as JSON
    printer, print_types, standalone, skeleton      packages, worlds and types to text
    encode, encode_types, metadata
    decode, decode_raw, decode_limits, decode_scope, decode_types, decode_repeats, decode_packages
                                                    packages in component binary form, and back
    component_world                                 the world of a component
    compare, world_items, compare_worlds            where two types or worlds differ
    diff                                            what changed from one version of a package to the next, and for whom
    host                                            the WIT that comes with this package
    signatures, flatten                             the `wit:` field of an entry, function types

Spec: component-model `WIT.md`.
"""

from wippywasm.wit.compare import (
    Comparison,
    function_mismatch,
    functions_mismatches,
    type_mismatch,
)
from wippywasm.wit.compare_worlds import world_mismatches
from wippywasm.wit.component_world import world_of_component, world_of_imports
from wippywasm.wit.decode import decode, decode_first
from wippywasm.wit.diff import Change, diff_packages, diff_worlds
from wippywasm.wit.dump import json_pieces, to_json
from wippywasm.wit.encode import EncodedImports, encode, encode_imports, encode_world
from wippywasm.wit.flatten import ROOT, Flattener, WorldScope, world_functions, world_scopes
from wippywasm.wit.host import host_interface, host_packages, host_wit_path
from wippywasm.wit.load import parse, parse_text
from wippywasm.wit.names import PackageName, Version
from wippywasm.wit.print_types import func_text, type_text
from wippywasm.wit.printer import print_package, print_packages, print_resolution, print_world
from wippywasm.wit.resolved import (
    Function,
    Include,
    Interface,
    InterfaceItem,
    Package,
    Param,
    Resolution,
    Stability,
    TypeDef,
    World,
)
from wippywasm.wit.signatures import Signatures, parse_signatures, parse_world, signatures_of
from wippywasm.wit.source import Source
from wippywasm.wit.standalone import world_document

__all__ = [
    "ROOT",
    "Change",
    "Comparison",
    "EncodedImports",
    "Flattener",
    "Function",
    "Include",
    "Interface",
    "InterfaceItem",
    "Package",
    "PackageName",
    "Param",
    "Resolution",
    "Signatures",
    "Source",
    "Stability",
    "TypeDef",
    "Version",
    "World",
    "WorldScope",
    "decode",
    "decode_first",
    "diff_packages",
    "diff_worlds",
    "encode",
    "encode_imports",
    "encode_world",
    "func_text",
    "function_mismatch",
    "functions_mismatches",
    "host_interface",
    "host_packages",
    "host_wit_path",
    "json_pieces",
    "parse",
    "parse_signatures",
    "parse_text",
    "parse_world",
    "print_package",
    "print_packages",
    "print_resolution",
    "print_world",
    "signatures_of",
    "to_json",
    "type_mismatch",
    "type_text",
    "world_document",
    "world_functions",
    "world_mismatches",
    "world_of_component",
    "world_of_imports",
    "world_scopes",
]
