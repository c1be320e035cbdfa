"""Why a module was refused, at the place where its entry can be mended.

In: the error of the component library. Out: problems on the right field, and on the right line of WIT or WAT.
"""

from __future__ import annotations

from wippywasm.app.entry import Entry, Source
from wippywasm.app.report import At, Report
from wippywasm.errors import (
    BinaryError,
    LinkError,
    UnsupportedFeatureError,
    WatSyntaxError,
    WippyError,
    WitDiagnosticsError,
)


def say_refusal(error: WippyError, entry: Entry, report: Report) -> None:
    """Turn an error of loading an entry's module into problems of the entry."""
    code = "source" if entry.kind == "function.wat" else "path"
    if isinstance(error, WitDiagnosticsError):
        _say_diagnostics(error, entry, report)
    elif isinstance(error, WatSyntaxError):
        _say_wat(error, entry, report)
    elif isinstance(error, BinaryError):
        hint = error.hint or ("is it a wasm file, and whole?" if code == "path" else None)
        entry.at(report, code).problem(f"not a wasm module: {error.message}, at offset {error.offset:#x}", hint)
    elif isinstance(error, UnsupportedFeatureError | LinkError) or "wit" not in entry.data:
        entry.at(report, code).problem(error.message, error.hint)
    else:
        for line in error.message.splitlines():
            entry.at(report, "wit").problem(line, error.hint)


def _say_diagnostics(error: WitDiagnosticsError, entry: Entry, report: Report) -> None:
    wit: Source | None = entry.data.get("wit")
    for diagnostic in error.diagnostics:
        at = entry.at(report, "wit")
        if wit is not None:
            at = At(report, wit.path, wit.line(diagnostic.line), entry.id, "wit")
        at.problem(f"{diagnostic.message}, at column {diagnostic.column}", diagnostic.hint)
    if error.more:
        entry.at(report, "wit").problem(f"and {error.more:,} more mistakes")


def _say_wat(error: WatSyntaxError, entry: Entry, report: Report) -> None:
    source: Source = entry.data["source"]
    line, column = error.details.get("line"), error.details.get("column")
    headline = error.message.splitlines()[0]
    if line is None:
        entry.at(report, "source").problem(f"not valid WebAssembly text: {headline}", error.hint)
        return
    said = headline.removeprefix(f"line {line}, column {column}: ")
    at = At(report, source.path, source.line(line), entry.id, "source")
    at.problem(f"not valid WebAssembly text: {said}, at column {column}", error.hint)
