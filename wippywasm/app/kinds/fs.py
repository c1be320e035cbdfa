"""Filesystem entries. Spec: SPEC section 2."""

from __future__ import annotations

from wippywasm.app.schema.file_types import Mode
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.types import Bool, Field, Text, required

FS_DIRECTORY = Kind(
    "fs.directory",
    {
        "directory": required(Text(words="a folder, relative to the app folder")),
        "auto_init": Field(Bool()),
        "mode": Field(Mode()),
    },
)

FS_KINDS = (FS_DIRECTORY,)
