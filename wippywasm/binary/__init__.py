"""Bytes → decoded core modules and components.

In: untrusted bytes. Out: immutable trees (`component.Component`, `core_module.CoreModuleInfo`), or one typed error with
the byte offset. Nothing here knows an engine.
"""

from __future__ import annotations

from wippywasm.binary import core_module
from wippywasm.binary.decode import decode
from wippywasm.binary.preamble import sniff

__all__ = ["core_module", "decode", "sniff"]
