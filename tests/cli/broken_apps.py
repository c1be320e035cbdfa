"""Broken apps, and what must be said about each: the place, and words of the message.

In: nothing. Out: `BROKEN`, by what is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from wippywasm.engine import wat2wasm

ADD = wat2wasm(
    """(module
      (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
      (func (export "subtract") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1))))"""
)
ADDER = wat2wasm(
    """(component
      (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
      (core instance $i (instantiate $m))
      (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add"))))"""
)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def wasm_app(data: bytes, hash: str | None = None, path: str = "x.wasm", more: str = "", method: str = "add") -> str:
    """An app of one function.wasm entry; the entry starts on line 6 of the file."""
    return f"""\
namespace: t
entries:
  - name: files
    kind: fs.directory
    directory: wasm
  - name: add
    kind: function.wasm
    fs: files
    path: {path}
    hash: {hash or digest(data)}
    method: {method}
{more}"""


@dataclass(frozen=True)
class Broken:
    """An app, and what `lint` says about it."""

    files: Mapping[str, str | bytes]
    place: str
    words: tuple[str, ...]


def wasm(data: bytes, place: str, *words: str, **facts: str) -> Broken:
    return Broken({"_index.yaml": wasm_app(data, **facts), "wasm/x.wasm": data}, place, words)


def yaml(text: str, place: str, *words: str, lua: str = "") -> Broken:
    return Broken({"_index.yaml": text, **({"x.lua": lua} if lua else {})}, place, words)


def entries(*lines: str) -> str:
    """A definition file; the first of `lines` is line 3 of it."""
    return "\n".join(("namespace: t", "entries:", *(f"  {line}" for line in lines), ""))


BROKEN: dict[str, Broken] = {
    "bad YAML": yaml(entries("- name: [x"), "_index.yaml:4", "not valid YAML"),
    "a tab": yaml("namespace: t\nentries:\n\t- name: x\n", "_index.yaml:3", "not valid YAML", "YAML knows no tabs"),
    "a key twice": yaml(
        entries("- name: x", "  kind: registry.entry", "  kind: registry.entry"),
        "_index.yaml:5",
        "the key 'kind' is given twice, first on line 4",
    ),
    "alias bomb": yaml(
        "namespace: t\nentries: []\na: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"{c}: &{c} [{','.join([f'*{p}'] * 10)}]\n" for p, c in zip("abcdefgh", "bcdefghi")),
        "_index.yaml:8",
        "more than 200,000 values once its aliases are expanded",
    ),
    "deep nesting": yaml("namespace: t\nentries: " + "[" * 5000, "_index.yaml:2", "nested deeper than 64 levels"),
    "not UTF-8": Broken(
        {"_index.yaml": b"namespace: t\nentries: \xff\n"}, "_index.yaml", ("not UTF-8", "0xff on line 2")
    ),
    "a list": yaml("- name: x\n", "_index.yaml:1", "a definition file is a mapping, this is a list"),
    "no namespace": yaml("namspace: t\nentries: []\n", "_index.yaml:1", "'namespace'", "is 'namspace' meant"),
    "no entries": yaml("namespace: t\nentrys: []\n", "_index.yaml:1", "'entries'", "is 'entrys' meant"),
    "unknown version": yaml('version: "2.0"\nnamespace: t\nentries: []\n', "_index.yaml:1", "'version'", '"1.0"'),
    "no folder of entries": yaml("namespace: t\nentries: {a: b}\n", "_index.yaml:2", "expected a list of entries"),
    "unknown kind": yaml(
        entries("- name: x", "  kind: function.wasn"),
        "_index.yaml:4",
        "entry 't:x', field 'kind': there is no kind 'function.wasn'",
        "did you mean 'function.wasm'?",
    ),
    "a kind of later": yaml(
        entries("- name: rule", "  kind: queue.consumer"),
        "_index.yaml:4",
        "kind 'queue.consumer' is known but not available yet",
    ),
    "no kind": yaml(entries("- name: x"), "_index.yaml:3", "field 'kind': required, but missing"),
    "no name": yaml(entries("- kind: registry.entry"), "_index.yaml:3", "field 'name': required"),
    "a bad name": yaml(
        entries("- name: a b", "  kind: registry.entry"),
        "_index.yaml:3",
        "expected a name, got text 'a b'",
    ),
    "an id twice": yaml(
        entries("- {name: x, kind: registry.entry}", "- {name: x, kind: registry.entry}"),
        "_index.yaml:4",
        "'t:x' is defined twice, first on line 3",
    ),
    "misspelt field": wasm(
        ADD, "_index.yaml:12", "field 'metod': no such field", "did you mean 'method'?", more="    metod: x"
    ),
    "missing field": yaml(
        entries("- name: x", "  kind: function.wat", "  source: (module)"),
        "_index.yaml:3",
        "entry 't:x', field 'method': required, but missing",
    ),
    "wrong type": wasm(
        ADD,
        "_index.yaml:12",
        "field 'pool.max_size': expected a whole number",
        "got text 'many'",
        more="    pool: {max_size: many}",
    ),
    "misspelt choice": wasm(
        ADD,
        "_index.yaml:12",
        "field 'pool.type'",
        "got text 'lasy'",
        "did you mean 'lazy'?",
        more="    pool: {type: lasy}",
    ),
    "adaptive": wasm(ADD, "_index.yaml:12", "did you mean 'adaptive'?", more="    pool: {type: adaptiv}"),
    "worker class": wasm(
        ADD, "_index.yaml:12", "pool.worker_class'", "expected one of 'wasm', got", more="    pool: {worker_class: lua}"
    ),
    "unknown transport": wasm(ADD, "_index.yaml:12", "did you mean 'wasi-http'?", more="    transport: wasi_htp"),
    "unknown host import": wasm(
        ADD,
        "_index.yaml:12",
        "there is no host import 'wasi:clock'",
        "did you mean 'wasi:clocks'?",
        more="    imports: [wasi:clock]",
    ),
    "two mounts at one place": wasm(
        ADD,
        "_index.yaml:6",
        "'/a' is given twice",
        more="    wasi: {mounts: [{fs: files, guest: /a}, {fs: files, guest: /a}]}",
    ),
    "wrong hash": wasm(ADD, "_index.yaml:10", "field 'hash'", "has another hash: " + digest(ADD), hash=digest(b"")),
    "malformed hash": wasm(ADD, "_index.yaml:10", "expected sha256: and 64 hexadecimal digits", hash="md5:0"),
    "missing file": wasm(
        ADD, "_index.yaml:9", "can't read 'y.wasm': there is no such file", "did you mean 'x.wasm'?", path="y.wasm"
    ),
    "a file outside": wasm(
        ADD, "_index.yaml:9", "'../_index.yaml' leads outside the folder of 't:files'", path="../_index.yaml"
    ),
    "missing folder": yaml(
        entries("- {name: f, kind: fs.directory, directory: wams}"),
        "_index.yaml:3",
        "there is no folder 'wams' in the app folder",
        "auto_init",
    ),
    "not wasm": wasm(b"#!/bin/sh\nexit 0\n", "_index.yaml:9", "not a wasm module", "at offset 0x0"),
    "empty": wasm(b"", "_index.yaml:9", "not a wasm module"),
    "a truncated module": wasm(ADD[:-9], "_index.yaml:9", "not a wasm module", "at offset"),
    "a truncated component": wasm(ADDER[:-9], "_index.yaml:9", "not a wasm module", "at offset"),
    "method not exported": wasm(ADD, "_index.yaml:11", "field 'method'", "'addd'", "add", method="addd"),
    "wit of another type": wasm(
        ADD, "_index.yaml:12", "field 'wit'", "add", more='    wit: "add: func(a: string) -> s32;"'
    ),
    "wit of another name": wasm(ADD, "_index.yaml:12", "field 'wit'", "plus", more='    wit: "plus: func() -> s32;"'),
    "wit that differs from the component": wasm(
        ADDER,
        "_index.yaml:12",
        "field 'wit'",
        "'add' is func(a: s32, b: s32) -> s32",
        more='    wit: "add: func(a: u8) -> s32;"',
    ),
    "wit that does not parse": wasm(ADD, "_index.yaml:13", "field 'wit'", more="    wit: |\n      add: func(a s32)\n"),
    "wat that does not parse": yaml(
        entries("- name: x", "  kind: function.wat", "  method: x", "  source: |", "    (module", "      (fun))"),
        "_index.yaml:8",
        "not valid WebAssembly text",
    ),
    "wat of a missing file": yaml(
        entries("- {name: x, kind: function.wat, method: x, source: file://x.wat}"),
        "_index.yaml:3",
        "field 'source': can't read 'x.wat': there is no such file",
    ),
    "a source outside the app": yaml(
        entries("- {name: x, kind: function.lua, method: x, source: file:///etc/passwd}"),
        "_index.yaml:3",
        "leads outside the app folder",
    ),
    "dangling fs": Broken(
        {"_index.yaml": wasm_app(ADD).replace("fs: files", "fs: filez"), "wasm/x.wasm": ADD},
        "_index.yaml:8",
        ("there is no entry 't:filez'", "did you mean 't:files'?"),
    ),
    "a reference of another kind": yaml(
        f"namespace: t\nentries:\n  - {{name: d, kind: registry.entry}}\n"
        f"  - {{name: x, kind: function.wasm, fs: d, path: x, hash: '{digest(b'')}', method: x}}\n",
        "_index.yaml:4",
        "'t:d' is a registry.entry, not an fs.directory",
    ),
    "recursive imports": yaml(
        "namespace: t\nentries:\n"
        "  - {name: a, kind: library.lua, source: return 1, imports: {b: b}}\n"
        "  - {name: b, kind: library.lua, source: return 1, imports: {c: 't:c'}}\n"
        "  - {name: c, kind: library.lua, source: return 1, imports: {a: a}}\n",
        "_index.yaml:3",
        "libraries import one another in a circle: t:a → t:b → t:c → t:a",
    ),
    "Lua that does not parse": yaml(
        entries("- {name: x, kind: function.lua, method: main, source: 'file://x.lua'}"),
        "x.lua:2",
        "entry 't:x', field 'source': not valid Lua",
        lua="return {\n  main = function( end}\n",
    ),
    "inline Lua that does not parse": yaml(
        entries("- name: x", "  kind: function.lua", "  method: main", "  source: |", "    return {}", "    end"),
        "_index.yaml:8",
        "not valid Lua",
    ),
    "unknown Lua module": yaml(
        entries("- {name: x, kind: function.lua, method: main, source: return 1, modules: [func]}"),
        "_index.yaml:3",
        "field 'modules[0]'",
        "did you mean 'funcs'?",
    ),
    "a value from the environment": yaml(
        entries("- {name: x, kind: registry.entry, key: '${env:KEY}'}"),
        "_index.yaml:3",
        "field 'key'",
        "there is no environment variable 'KEY'",
    ),
    "a variable that is not set": yaml(
        entries(
            "- {name: os, kind: env.storage.os}",
            "- {name: v, kind: env.variable, variable: NOT_SET_ANYWHERE, storage: os}",
            "- {name: x, kind: registry.entry, list: [{key: 'a ${env:NOT_SET_ANYWHERE}'}]}",
        ),
        "_index.yaml:5",
        "field 'list[0].key'",
        "the environment variable 'NOT_SET_ANYWHERE' is not set, and has no default",
    ),
    "storages in a circle": yaml(
        entries(
            "- {name: a, kind: env.storage.router, storages: [b]}",
            "- {name: b, kind: env.storage.router, storages: [a]}",
            "- {name: v, kind: env.variable, variable: V, storage: a}",
        ),
        "_index.yaml:3",
        "storages lead to one another in a circle: t:a → t:b → t:a",
    ),
    "two variables of one name": yaml(
        entries(
            "- {name: os, kind: env.storage.os}",
            "- {name: a, kind: env.variable, variable: V, storage: os}",
            "- {name: b, kind: env.variable, variable: V, storage: os}",
        ),
        "_index.yaml:5",
        "'V' is the name of 't:a' already",
    ),
    "a value of a variable that does not fit, and stays secret": yaml(
        entries(
            "- {name: s, kind: env.storage.static, values: {N: hush}}",
            "- {name: v, kind: env.variable, variable: N, storage: s}",
            "- {name: x, kind: function.lua, method: m, source: return 1, pool: {size: '${env:N}'}}",
        ),
        "_index.yaml:5",
        "expected a whole number from 1 to 10000, got the value of ${env:N}",
    ),
    "two commands of one name": yaml(
        "namespace: t\nentries:\n"
        "  - {name: a, kind: function.lua, method: m, source: return 1, meta: {command: {name: go}}}\n"
        "  - {name: b, kind: function.lua, method: m, source: return 1, meta: {command: {name: go}}}\n",
        "_index.yaml:4",
        "the command 'go' is taken by 't:a'",
    ),
}
