"""Names at which the text parser would abort the process are refused; the same text with indices is translated."""

from __future__ import annotations

import pytest

from tests.steps import steps_of
from wippywasm.engine import wat2wasm
from wippywasm.engine.wat_names import unresolved_name
from wippywasm.errors import WatSyntaxError

IMPORT = '(import "a" "i" (global (ref {})))'
TEXTS = {
    "export": '(component (core type (module (type $s (struct)) (export "i" (global (ref {}))))))',
    "import": '(component (core type $t (module (type $s (struct)) (import "a" "i" (global (mut (ref null {})))))))',
    "named": '(component (core type (module (type $s (struct)) (import "a" "i" (global $g (ref {}))))))',
    "table": '(component (core type (module (type $s (struct)) (import "a" "i" (table $t i64 1 2 (ref null {}))))))',
    "exact": '(component (core type (module (type $s (struct)) (export "i" (table 1 (ref null (exact {})))))))',
    "items": '(component (core type (module (type $s (struct)) (import "a" (item "i" (global (ref {})))))))',
    "one type": '(component (core type (module (type $s (struct)) (import "a" (item "i") (global (ref {}))))))',
    "imported": '(component (import "m" (core module $m (type $s (struct)) (export "i" (global (ref {}))))))',
    "inline": f'(component (core module $m (import "m") (type $s (struct)) {IMPORT}))',
    "in a type": f'(component (type (component (import "m" (core module (type $s (func)) {IMPORT})))))',
    "exported": f'(component (type (instance (export "m" (core module (type $s (func)) {IMPORT})))))',
    "comment before": '(component (core type (module (type $s (func)) (export "i" (global ((; ;) ref {}))))))',
    "annotation before": '(component (core type (module (type $s (func)) (export "i" (global ((@a) ref {}))))))',
    "shared": '(component (core type (module (type $s (func)) (export "i" (global (shared (ref null {})))))))',
    "annotated": f'(component (core module $m (import "m" (@a (b "c"))) (type $s (struct)) {IMPORT}))',
    "annotated first": f'(component (core module $m (import (@a) "m") (type $s (struct)) {IMPORT}))',
    "interface": f'(component (core module $m (import (interface "a:b/c")) (type $s (struct)) {IMPORT}))',
    "line of a Mac": '(component (core type (module (type $s (func)) (export "i" (global ;;c\r(ref {}))))))',
    "semicolon": '(component (core type (module (type $s (func)) (export "i" (global(@a;)(ref {}))))))',
    "commented": f'(component (core type (module (; (; ;) ";; ;) (type $s (struct)) ;; (; " (\n {IMPORT})))',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_name_that_would_abort_the_process(text: str) -> None:
    named = text.format("$s")
    with pytest.raises(WatSyntaxError, match=r"\$s is a name where .* write the type's index") as caught:
        wat2wasm(named, "some.wat")
    place = caught.value.details
    assert named.split("\n")[place["line"] - 1][place["column"] - 1 :].startswith("$s")
    wat2wasm(text.format("0"))


@pytest.mark.parametrize(
    "text",
    [
        f"(component (core module $m (type $s (struct)) {IMPORT.format('$s')} (global (ref null $s) (ref.null $s))))",
        f'(component (core module $m (import "m" "g" (global i32)) (type $s (struct)) {IMPORT.format("$s")}))',
        '(component (core type (module (type $s (struct)) (export "i" (func (param (ref $s)) (result (ref $s)))))))',
        '(component (core type (module (type $s (struct)) (export "i" (tag (param (ref $s)))))))',
        "(component (core type (module (type $s (struct)) (type (struct (field (ref $s)))))))",
        "(component (core type $s (struct)) (core type (array (ref $s))))",
        f"(module $component (type $s (struct)) {IMPORT.format('$s')})",
    ],
)
def test_names_that_the_parser_looks_up(text: str) -> None:
    assert wat2wasm(text)


@pytest.mark.parametrize(
    "text",
    [
        "(component (ref " + 20_000 * "(",
        '(component (ref "' + 20_000 * '\\"',
        "(component " + 5_000 * "(ref " + 5_000 * "$a ",
    ],
    ids=["depth", "string", "forms"],
)
def test_names_are_found_in_proportion_to_the_text(text: str) -> None:
    assert steps_of(lambda: unresolved_name(text)) < 100 * len(text)
    assert unresolved_name(text) is None
    with pytest.raises(WatSyntaxError):
        wat2wasm(text)


def test_forms_that_are_too_deep_have_a_place() -> None:
    with pytest.raises(WatSyntaxError, match=r"line 1, column \d+: item nesting too deep$") as caught:
        wat2wasm(120 * "(component " + 120 * ")")
    assert caught.value.details["line"] == 1


def test_what_follows_deep_forms_is_still_looked_at() -> None:
    deep = "(module (func " + "(block " * 2_000 + ")" * 2_000 + "))"
    text = f'(component (core {deep[1:]} (core type (module (import "a" "b" (global (ref $t))))))'
    found = unresolved_name(text)
    assert found is not None
    assert found.group() == "$t"
    assert unresolved_name(text.replace("$t", "0")) is None
