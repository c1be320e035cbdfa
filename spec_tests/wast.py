"""Vectors of the component model and of core WebAssembly: `.wast` files.

In: a `.wast` file. Out: how many of its directives held, and the others with the reason. Text becomes bytes by the
engine room's translator; decoding, validation, linking and calls are the library's own, through its public API.

Spec: component-model `test/`; the script format of the WebAssembly test suite's interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spec_tests import FileResult, Options
from spec_tests.wast_directives import directives
from spec_tests.wast_known import reason_for
from spec_tests.wast_outcomes import Failed, Skipped, Untranslated, Validated
from spec_tests.wast_run import Session
from spec_tests.wast_syntax import WastSyntaxError, line_of


def find(path: Path) -> Iterator[Path]:
    """The `.wast` files at or below `path`."""
    if path.is_dir():
        yield from sorted(path.rglob("*.wast"))
    elif path.suffix == ".wast":
        yield path


def run(case: Path, options: Options) -> FileResult:
    """Run every directive of a file; one that fails does not stop the others."""
    result = FileResult(case)
    try:
        source = case.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        result.failed.append((case.name, f"can't be read: {error}"))
        return result
    try:
        found = directives(source)
    except WastSyntaxError as error:
        result.failed.append((f"{case.name}:{line_of(source, error.offset)}", f"can't be read: {error}"))
        return result
    session = Session(source, options.engine)
    for directive in found:
        name = f"{case.name}:{directive.line}"
        try:
            session.run(directive)
        except Skipped as skip:
            result.skipped.append((name, str(skip)))
            result.unread += [name] * isinstance(skip, Untranslated)
        except Validated as why:
            result.passed += 1
            result.validated.append((name, str(why)))
        except Failed as failure:
            known = reason_for(case, directive.line, str(failure))
            (result.skipped if known else result.failed).append((name, known or str(failure)))
        else:
            result.passed += 1
    session.close()
    return result
