"""What the head of a `.wast` file says of the features it is written for.

In: the text of a file. Out: the gated features of the component model that are on while it runs. Other projects write
them down in two ways: `;;! name = true` lines, where everything else is off; or a `;; RUN: wast … -f name,-name` line,
which starts from the features that are finished. A file with neither gets all that this library has on by itself.
"""

from __future__ import annotations

import re

from wippywasm.binary import features as gates
from wippywasm.errors import BinaryError

GC = "gc in the canonical ABI"
"""A feature of other validators that no specification has."""
SETTINGS = {
    "component_model_gc": GC,
    "component_model_async": gates.ASYNC,
    "component_model_more_async_builtins": gates.MORE_ASYNC,
    "component_model_async_stackful": gates.STACKFUL,
    "component_model_threading": gates.THREADS,
    "component_model_error_context": gates.ERROR_CONTEXT,
    "component_model_map": gates.MAP,
    "component_model_memory64": gates.MEMORY64,
    "component_model_fixed_length_lists": gates.FIXED_LISTS,
    "component_model_implements": gates.ANNOTATIONS,
    "shared_everything_threads": gates.SHARED_THREADS,
}
"""The names in `;;!` lines that concern components."""

FLAGS = {
    "cm-gc": GC,
    "cm-async": gates.ASYNC,
    "cm-more-async-builtins": gates.MORE_ASYNC,
    "cm-async-stackful": gates.STACKFUL,
    "cm-threading": gates.THREADS,
    "cm-error-context": gates.ERROR_CONTEXT,
    "cm-fixed-length-lists": gates.FIXED_LISTS,
    "cm-map": gates.MAP,
    "cm-implements": gates.ANNOTATIONS,
    "cm-canon-names": gates.CANONICAL_NAMES,
    "cm-nested-names": gates.NESTED_NAMES,
    "cm-values": gates.VALUES,
    "cm64": gates.MEMORY64,
    "shared-everything-threads": gates.SHARED_THREADS,
}
"""The names after `-f` that concern components."""

ALWAYS = frozenset({gates.DEPENDENCY_NAMES, gates.REVISED})
"""What those projects have on without asking."""
FINISHED = ALWAYS | {gates.ASYNC}
_NEEDED = re.compile(r"needs? the feature `([\w-]+)`")
_SETTING = re.compile(r"\s*(\w+)\s*=\s*(true|false)\b")
_RUN = re.compile(r"^;;\s*RUN(?:\[[^\]]*\])?:.*\bwast\b(.*)$", re.MULTILINE)
_FEATURES = re.compile(r"(?:\s-f|--features)[=\s]*([\w,-]+)")


def features_of(text: str) -> gates.Features:
    """The features that a file is written for."""
    settings = _settings(text)
    if settings is not None:
        return ALWAYS | {SETTINGS[name] for name in settings if name in SETTINGS}
    runs = _RUN.findall(text)
    if runs:
        return _chosen(",".join(name for run in runs for name in _FEATURES.findall(run)))
    return gates.DEFAULT


def is_marked(text: str) -> bool:
    """Does a file have such a head? Then its project's validator tells malformed from invalid nowhere."""
    return _settings(text) is not None or is_only_validated(text)


def is_only_validated(text: str) -> bool:
    """Is it written for a tool that runs nothing, so that its components need not be instantiable?"""
    return _RUN.search(text) is not None


def unsupported(error: BinaryError, features: gates.Features) -> str | None:
    """The reason to skip a file's component that needs a feature which the file has on and this library has not."""
    found = _NEEDED.search(error.message)
    if found is not None and found[1] in features:
        return f"the feature `{found[1]}` is not supported"
    if GC in features and "for a canonical option" in error.message:
        return f"{GC} is in no specification"
    return None


def _settings(text: str) -> set[str] | None:
    """What the `;;!` lines at the head turn on; None where there are none."""
    on: set[str] = set()
    any_line = False
    for line in text.splitlines():
        if not line.startswith(";;!"):
            break
        any_line = True
        found = _SETTING.match(line[3:])
        if found is not None and found[2] == "true":
            on.add(found[1])
    return on if any_line else None


def _chosen(flags: str) -> gates.Features:
    """The finished features, changed by flags from left to right: `name`, `-name`, `all`, `-all`."""
    on: set[str] = set(FINISHED)
    for flag in filter(None, flags.split(",")):
        name = flag.removeprefix("-")
        named = set(FLAGS.values()) if name == "all" else {FLAGS[name]} if name in FLAGS else set()
        on = on - named if flag.startswith("-") else on | named
    return frozenset(on)
