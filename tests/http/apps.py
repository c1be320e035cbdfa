"""Entries that the HTTP tests have in common.

In: nothing. Out: texts of entries for `load_app`.
"""

from __future__ import annotations

import textwrap

SERVICE = """
- {name: web, kind: http.service, addr: "127.0.0.1:0"}
"""
ROUTER = """
- {name: api, kind: http.router, prefix: /api}
"""
WEB = SERVICE + ROUTER


def endpoint(name: str, method: str, path: str, func: str) -> str:
    return f"- {{name: {name}, kind: http.endpoint, method: {method}, path: '{path}', func: {func}}}\n"


def lua(name: str, source: str, modules: str = "http, json") -> str:
    """A Lua function of which `source` is the body of its method."""
    body = textwrap.indent(textwrap.dedent(source).strip(), "      ")
    return (
        f"- name: {name}\n  kind: function.lua\n  method: main\n  modules: [{modules}]\n"
        f"  source: |\n    function main()\n{body}\n    end\n"
    )


def wat(name: str, wit: str, method: str, source: str, more: str = "") -> str:
    """A wasm function of a core module."""
    text = textwrap.indent(textwrap.dedent(source).strip(), "    ")
    return f"- name: {name}\n  kind: function.wat\n  method: {method}\n  wit: '{wit}'\n{more}  source: |\n{text}\n"
