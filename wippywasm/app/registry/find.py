"""Entries by what they are.

In: entries, a filter. Out: those that fit. A filter's names are `.kind`, `.ns`, `.name`, `.id`, or a field of `meta`,
dotted (`meta.type` and `type` are the same); `{meta = {type = …}}` works as well.

| in front of the name | the value |
|---|---|
| nothing | the same; in text `*` stands for any text |
| `~` | a regular expression that is found in it |
| `*` | contained in it: a part of a text, an item of a list |
| `^`, `$` | its beginning, its end |

Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wippywasm.app.security.globs import Glob
from wippywasm.app.security.regex import MAX_TEXT, Regex, RegexSyntaxError
from wippywasm.errors import InvalidError

_SPECIAL = (".kind", ".ns", ".name", ".id")


def find(entries: Iterable[Mapping[str, Any]], criteria: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries, as `{id, kind, meta, data}`, that fit every criterion; raises InvalidError for one that is none."""
    tests = [_test(name, wanted) for name, wanted in _flat(criteria)]
    return [entry for entry in entries if all(test(entry) for test in tests)]


def _flat(criteria: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    if not isinstance(criteria, Mapping):
        raise InvalidError("a filter is a table such as {['.kind'] = 'function.lua'}")
    for name, wanted in criteria.items():
        if name == "meta" and isinstance(wanted, Mapping):
            yield from ((f"meta.{key}", value) for key, value in wanted.items())
        else:
            yield str(name), wanted


def _test(name: str, wanted: Any) -> Callable[[Mapping[str, Any]], bool]:
    operator, path = (name[0], name[1:]) if name[:1] in tuple("~*^$") else ("", name)
    if path.startswith(".") and path not in _SPECIAL:
        raise InvalidError(f"there is no '{path[:60]}' to look for", hint=f"there are {', '.join(_SPECIAL)}")
    compare = _comparison(operator, wanted)
    return lambda entry: compare(_field(entry, path))


def _field(entry: Mapping[str, Any], path: str) -> Any:
    if path in _SPECIAL:
        namespace, _, name = entry["id"].partition(":")
        return {".kind": entry["kind"], ".ns": namespace, ".name": name, ".id": entry["id"]}[path]
    value: Any = entry["meta"]
    for part in path.removeprefix("meta.").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _comparison(operator: str, wanted: Any) -> Callable[[Any], bool]:
    if operator == "":
        return lambda value: _same(value, wanted)
    if operator == "*":
        return lambda value: _contains(value, wanted)
    if not isinstance(wanted, str):
        raise InvalidError(f"'{operator}' in front of a name takes text to compare with")
    if operator == "~":
        return _regex(wanted)
    meets = str.startswith if operator == "^" else str.endswith
    return lambda value: isinstance(value, str) and meets(value, wanted)


def _regex(pattern: str) -> Callable[[Any], bool]:
    """Patterns may come from anybody, so they are matched in linear time."""
    try:
        regex = Regex(pattern)
    except RegexSyntaxError as error:
        raise InvalidError(f"'{pattern[:80]}' is no regular expression: {error}") from None
    return lambda value: isinstance(value, str) and len(value) <= MAX_TEXT and regex.found_in(value)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and isinstance(value, str):
        return Glob(wanted).matches(value)
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    return isinstance(value, list | tuple) and any(_same(item, wanted) for item in value)
