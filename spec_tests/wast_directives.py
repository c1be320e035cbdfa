"""Groups of a `.wast` file → directives.

In: the tree of `wast_syntax`. Out: one dataclass for each directive, each with its line.
Spec: the script commands of the WebAssembly test suite's interpreter, with those for components.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from spec_tests.wast_syntax import Atom, Group, Node, String, WastSyntaxError, line_of, parse

SORTS = ("module", "component")
ACTIONS = ("invoke", "get")
SPOKEN = ("assert_trap", "assert_exhaustion", "assert_invalid", "assert_malformed", "assert_unlinkable")
"""Assertions that say which message they expect; of the others only some files do."""
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
    """`(component instance $name $definition)`; one name is the instance's, and the definition then the last one."""

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
    """`invoke` or `get`; `args` are groups like `(u32.const 1)`, `group` is the whole of it."""

    line: int
    kind: str
    instance: str | None
    name: str
    args: tuple[Group, ...]
    group: Group


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
    """A directive of such files that the runner has no way to run."""

    line: int
    keyword: str


@dataclass(frozen=True)
class Malformed:
    """What starts like a directive, and does not have the form of one."""

    line: int
    why: str


Directive: TypeAlias = (
    Define
    | Instantiate
    | Register
    | Action
    | AssertReturn
    | AssertFails
    | AssertRefused
    | Thread
    | Wait
    | Unknown
    | Malformed
)


def directives(text: str) -> list[Directive]:
    """The directives of a file, in order. A file may be one module's fields instead."""
    groups = parse(text)
    if groups and all(group.head in MODULE_FIELDS for group in groups):
        return [Define(line_of(text, groups[0].start), Source("module", None, f"(module {text}\n)", None), True)]
    return [_read(text, group) for group in groups]


def _read(text: str, group: Group) -> Directive:
    """One directive; one that is malformed does not keep the others from being run."""
    reader = _Reader(text, group)
    try:
        return reader.directive()
    except WastSyntaxError as error:
        return Malformed(reader.line, f"malformed `{group.head}`, line {line_of(text, error.offset)}: {error}")


class _Items:
    """The items of a group, taken one by one."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.rest = group.items[1:]
        self.end = group.items[0].end
        """Where what was taken last ends."""

    def _take(self) -> Node:
        item = self.rest.pop(0)
        self.end = item.end
        return item

    def _next(self, wanted: str) -> Node:
        if not self.rest:
            raise WastSyntaxError(f"expected {wanted}, found nothing", self.group.end - 1)
        return self._take()

    def is_word(self, *words: str) -> bool:
        """Is the next item one of these keywords? It is taken if so."""
        first = self.rest[0] if self.rest else None
        if isinstance(first, Atom) and first.text in words:
            self._take()
            return True
        return False

    def name(self) -> str | None:
        """A `$name`, where there is one."""
        first = self.rest[0] if self.rest else None
        if isinstance(first, Atom) and first.text.startswith("$") and first.text != "$":
            self._take()
            return first.text
        return None

    def string(self) -> str:
        item = self._next("a string")
        if not isinstance(item, String):
            raise WastSyntaxError("expected a string", item.start)
        return item.text

    def group_of(self, *heads: str) -> Group:
        item = self._next(f"({heads[0]} …)")
        if not isinstance(item, Group) or item.head not in heads:
            raise WastSyntaxError(f"expected ({' …) or ('.join(heads)} …)", item.start)
        return item

    def groups(self) -> tuple[Group, ...]:
        """All that remain, which have to be groups."""
        rest, self.rest = self.rest, []
        for item in rest:
            if not isinstance(item, Group):
                raise WastSyntaxError("expected something in parentheses", item.start)
        return tuple(item for item in rest if isinstance(item, Group))

    def joined(self) -> bytes:
        """All that remain, which have to be strings."""
        rest, self.rest = self.rest, []
        for item in rest:
            if not isinstance(item, String):
                raise WastSyntaxError("expected a string", item.start)
        return b"".join(item.value for item in rest if isinstance(item, String))

    def done(self) -> None:
        if self.rest:
            raise WastSyntaxError("expected nothing more", self.rest[0].start)


class _Reader:
    """Reads one top-level group."""

    def __init__(self, text: str, group: Group) -> None:
        self.text = text
        self.group = group
        self.line = line_of(text, group.start)

    def directive(self) -> Directive:
        group = self.group
        if not group.head:
            raise WastSyntaxError("expected a keyword", group.start)
        items = _Items(group)
        found = self._known(group.head, items)
        if not isinstance(found, Unknown):
            items.done()
        return found

    def _known(self, head: str, items: _Items) -> Directive:
        match head:
            case "component" | "module":
                return self._module(items)
            case "register":
                return Register(self.line, items.string(), items.name())
            case "invoke" | "get":
                return self._action(items)
            case "assert_return":
                return AssertReturn(self.line, self._action(_Items(items.group_of(*ACTIONS))), items.groups())
            case "assert_trap" | "assert_exhaustion" | "assert_exception" | "assert_suspension":
                return self._fails(items)
            case "assert_invalid" | "assert_malformed" | "assert_unlinkable" | "assert_malformed_custom":
                source = self._source(_Items(items.group_of(*SORTS)))
                return AssertRefused(self.line, head, source, _message(items))
            case "thread":
                return self._thread(items)
            case "wait":
                return Wait(self.line, items.name())
            case "assert_invalid_custom" | "script" | "input" | "output":
                return Unknown(self.line, head)
            case _:
                raise WastSyntaxError("there is no such directive", self.group.start)

    def _module(self, items: _Items) -> Directive:
        if items.is_word("instance"):
            return Instantiate(self.line, items.group.head, items.name(), items.name())
        is_definition = bool(items.rest) and isinstance(items.rest[0], Atom) and items.rest[0].text == "definition"
        return Define(self.line, self._source(items), not is_definition)

    def _thread(self, items: _Items) -> Thread:
        name = items.name()
        groups = list(items.groups())
        shared = None
        if groups and groups[0].head == "shared":
            sharing = _Items(groups.pop(0))
            module = _Items(sharing.group_of("module"))
            shared = module.name()
            module.done()
            sharing.done()
        return Thread(self.line, name, shared, tuple([_read(self.text, inner) for inner in groups]))

    def _fails(self, items: _Items) -> AssertFails:
        subject = items.group_of(*ACTIONS, *SORTS)
        inner = _Items(subject)
        found = self._action(inner) if subject.head in ACTIONS else self._source(inner)
        return AssertFails(self.line, items.group.head, found, _message(items))

    def _action(self, items: _Items) -> Action:
        instance, name = items.name(), items.string()
        args = items.groups() if items.group.head == "invoke" else ()
        items.done()
        line = line_of(self.text, items.group.start)
        return Action(line, items.group.head, instance, name, args, items.group)

    def _source(self, items: _Items) -> Source:
        group = items.group
        if items.is_word("instance"):
            raise WastSyntaxError("expected a definition", group.start)
        items.is_word("definition")
        begin = items.end
        name = items.name()
        if items.is_word("binary"):
            return Source(group.head, name, None, items.joined())
        if items.is_word("quote"):
            body = items.joined().decode(errors="surrogateescape")
            text = f"({group.head} {body}\n)" if group.head == "component" else body
            return Source(group.head, name, text, None, is_quoted=True)
        items.rest = []
        return Source(group.head, name, f"({group.head} {self.text[begin : group.end].lstrip()}", None)


def _message(items: _Items) -> str:
    """The expected message, the last item of an assertion."""
    return items.string() if items.rest or items.group.head in SPOKEN else ""
