"""Groups of a `.wast` file → directives.

In: the tree of `wast_syntax`. Out: one dataclass for each directive, each with its line.
Spec: the script commands of the WebAssembly test suite's interpreter, with those for components.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from spec_tests.wast_syntax import Atom, Group, Node, String, WastSyntaxError, line_of, parse

MODULE_FORMS = ("definition", "instance")
SOURCE_FORMS = ("quote", "binary")
MODULE_FIELDS = frozenset(
    ("type", "rec", "import", "func", "table", "memory", "global", "export", "start", "elem", "data", "tag")
)


@dataclass(frozen=True)
class Source:
    """A module or component as the file has it: `text` to translate, or `wasm` bytes."""

    sort: str
    name: str | None
    text: str | None
    wasm: bytes | None
    is_quoted: bool = False


@dataclass(frozen=True)
class Define:
    """Define a component, and instantiate it too unless it is a `definition`."""

    line: int
    source: Source
    is_instantiated: bool


@dataclass(frozen=True)
class Instantiate:
    """`(component instance $name $definition)`."""

    line: int
    sort: str
    name: str | None
    definition: str | None


@dataclass(frozen=True)
class Register:
    """Make an instance importable under `name`."""

    line: int
    name: str
    instance: str | None


@dataclass(frozen=True)
class Action:
    """`invoke` or `get`; `args` are groups like `(u32.const 1)`."""

    line: int
    kind: str
    instance: str | None
    name: str
    args: tuple[Group, ...] = ()


@dataclass(frozen=True)
class AssertReturn:
    line: int
    action: Action
    results: tuple[Group, ...]


@dataclass(frozen=True)
class AssertFails:
    """`assert_trap`, `assert_exhaustion` or `assert_exception` of an action or of an instantiation."""

    line: int
    kind: str
    subject: Action | Source
    message: str


@dataclass(frozen=True)
class AssertRefused:
    """`assert_invalid`, `assert_malformed` or `assert_unlinkable` of a module or component."""

    line: int
    kind: str
    source: Source
    message: str


@dataclass(frozen=True)
class Thread:
    """Directives to run beside the file's own; `shared` is the instance whose memory they share with it."""

    line: int
    name: str | None
    shared: str | None
    directives: tuple[Directive, ...]


@dataclass(frozen=True)
class Wait:
    """Wait for the end of a thread."""

    line: int
    name: str | None


@dataclass(frozen=True)
class Unknown:
    """A directive that the runner has no way to run: an unknown `keyword`, or the reason in `why`."""

    line: int
    keyword: str
    why: str = ""


Directive: TypeAlias = (
    Define | Instantiate | Register | Action | AssertReturn | AssertFails | AssertRefused | Thread | Wait | Unknown
)


def directives(text: str) -> list[Directive]:
    """The directives of a file, in order. A file that starts with no directive is one module's fields."""
    groups = parse(text)
    if groups and groups[0].head in MODULE_FIELDS:
        return [Define(line_of(text, groups[0].start), Source("module", None, f"(module {text}\n)", None), True)]
    return [_read(text, group) for group in groups]


def _read(text: str, group: Group) -> Directive:
    """One directive; one that lacks something is unknown, and does not keep the others from being run."""
    reader = _Reader(text, group)
    try:
        return reader.directive()
    except (WastSyntaxError, IndexError, UnicodeDecodeError) as error:
        return Unknown(reader.line, group.head, f"it does not have the form of one: {error}")


class _Reader:
    """Reads one top-level group."""

    def __init__(self, text: str, group: Group) -> None:
        self.text = text
        self.group = group
        self.line = line_of(text, group.start)

    def directive(self) -> Directive:
        group, items = self.group, self.group.items
        match group.head:
            case "component" | "module":
                return self._module(group)
            case "register":
                return Register(self.line, _string(items[1]), _name(items[2:]))
            case "invoke" | "get":
                return self._action(group)
            case "assert_return":
                return AssertReturn(self.line, self._action(_group(items[1])), tuple(map(_group, items[2:])))
            case "assert_trap" | "assert_exhaustion" | "assert_exception" | "assert_suspension":
                return self._fails(group)
            case "assert_invalid" | "assert_malformed" | "assert_unlinkable" | "assert_malformed_custom":
                return AssertRefused(self.line, group.head, self._source(_group(items[1])), _message(items))
            case "thread":
                return self._thread(group)
            case "wait":
                return Wait(self.line, _name(items[1:]))
            case head:
                return Unknown(self.line, head)

    def _module(self, group: Group) -> Directive:
        form = _word(group.items, 1)
        if form == "instance":
            names = [item.text for item in group.items[2:] if isinstance(item, Atom)]
            name, definition = (names[0], names[1]) if len(names) > 1 else (None, names[0] if names else None)
            return Instantiate(self.line, group.head, name, definition)
        return Define(self.line, self._source(group), form != "definition")

    def _thread(self, group: Group) -> Thread:
        name = _name(group.items[1:])
        rest = [_group(item) for item in group.items[2 if name is not None else 1 :]]
        shared = None
        if rest and rest[0].head == "shared":
            shared = _name(_group(rest.pop(0).items[1]).items[1:])
        return Thread(self.line, name, shared, tuple([_read(self.text, inner) for inner in rest]))

    def _fails(self, group: Group) -> AssertFails:
        subject = _group(group.items[1])
        is_action = subject.head in ("invoke", "get")
        found = self._action(subject) if is_action else self._source(subject)
        return AssertFails(self.line, group.head, found, _message(group.items))

    def _action(self, group: Group) -> Action:
        rest = group.items[1:]
        instance = _name(rest)
        rest = rest[1:] if instance is not None else rest
        args = tuple(map(_group, rest[1:]))
        return Action(line_of(self.text, group.start), group.head, instance, _string(rest[0]), args)

    def _source(self, group: Group) -> Source:
        items = group.items[1:]
        if _word(items, 0) in MODULE_FORMS:
            items = items[1:]
        name = _name(items)
        rest = items[1:] if name is not None else items
        form = _word(rest, 0)
        if form == "binary":
            return Source(group.head, name, None, _bytes(rest[1:]))
        if form == "quote":
            body = _bytes(rest[1:]).decode(errors="surrogateescape")
            text = f"({group.head} {body})" if group.head == "component" else body
            return Source(group.head, name, text, None, is_quoted=True)
        begin = items[0].start if items else group.end - 1
        return Source(group.head, name, f"({group.head} {self.text[begin : group.end]}", None)


def _word(items: list[Node], index: int) -> str:
    """The keyword at `index`, or an empty string."""
    item = items[index] if index < len(items) else None
    return item.text if isinstance(item, Atom) and not item.text.startswith("$") else ""


def _name(items: list[Node]) -> str | None:
    """A leading `$name`."""
    first = items[0] if items else None
    return first.text if isinstance(first, Atom) and first.text.startswith("$") else None


def _string(item: Node) -> str:
    if not isinstance(item, String):
        raise WastSyntaxError("expected a string", item.start)
    return item.text


def _group(item: Node) -> Group:
    if not isinstance(item, Group):
        raise WastSyntaxError("expected a parenthesised group", item.start)
    return item


def _bytes(items: list[Node]) -> bytes:
    return b"".join(item.value for item in items if isinstance(item, String))


def _message(items: list[Node]) -> str:
    """The expected message; some directives have none."""
    last = items[-1]
    return last.text if isinstance(last, String) else ""
