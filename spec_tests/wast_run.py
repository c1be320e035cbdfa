"""Directives → what our library makes of them.

In: the directives of one file, in order. Out: nothing where one holds, `Failed` where it does not, `Skipped` where it
can't be tried, with the reason. A `Session` keeps what the directives define.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NoReturn

import wippywasm
from spec_tests import wast_values
from spec_tests.wast_core import CoreGuest, instantiate_core
from spec_tests.wast_directives import (
    Action,
    AssertFails,
    AssertRefused,
    AssertReturn,
    Define,
    Directive,
    Instantiate,
    Register,
    Source,
    Unknown,
)
from spec_tests.wast_messages import same_meaning
from wippywasm import binary
from wippywasm.binary.component import Component, CoreModule, NestedComponent
from wippywasm.engine import get, wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import (
    GuestExit,
    LinkError,
    MalformedError,
    PoisonedError,
    Trap,
    UnsupportedFeatureError,
    ValidationError,
    WatSyntaxError,
    WippyError,
    WitError,
)
from wippywasm.model import ResultType
from wippywasm.values import Err, Ok


class Failed(Exception):
    """A directive that does not hold."""


class Skipped(Exception):
    """A directive that can't be tried."""


class Missing:
    """Stands for an instance that could not be made; using it fails or skips like making it did."""

    def __init__(self, why: Failed | Skipped) -> None:
        self.why = type(why)(f"its component did not come up: {why}")


Guest = wippywasm.Guest | CoreGuest
REFUSALS: dict[str, type[WippyError]] = {
    "assert_invalid": ValidationError,
    "assert_malformed": MalformedError,
    "assert_unlinkable": LinkError,
}


class Session:
    """One run of one file."""

    def __init__(self, source: str, engine: str | None) -> None:
        self.source = source
        self.engine: Engine = get(engine)
        self.definitions: dict[str, bytes] = {}
        self.last_definition: bytes | None = None
        self.instances: dict[str, Guest | Missing] = {}
        self.current: Guest | Missing | None = None
        self.registered: dict[str, Guest] = {}
        self.unsupported: dict[Guest, UnsupportedFeatureError] = {}

    def close(self) -> None:
        """Close every guest that the file made."""
        for guest in [*self.instances.values(), self.current]:
            if isinstance(guest, wippywasm.Guest | CoreGuest):
                try:
                    guest.close()
                except WippyError:
                    continue

    def run(self, directive: Directive) -> None:
        """Raises `Failed` or `Skipped`."""
        try:
            self._run(directive)
        except UnsupportedFeatureError as error:
            raise Skipped(str(error)) from error
        except WippyError as error:
            raise Failed(f"{type(error).__name__}: {error}") from error
        except (Failed, Skipped):
            raise
        except Exception as error:
            raise Failed(f"crashed with {type(error).__name__}: {error}") from error

    def _run(self, directive: Directive) -> None:
        match directive:
            case Define():
                self._define(directive)
            case Instantiate():
                self._instantiate(directive)
            case Register():
                self.registered[directive.name] = self._instance(directive.instance)
            case Action():
                self._act(directive)
            case AssertReturn():
                self._assert_return(directive)
            case AssertFails():
                self._assert_fails(directive)
            case AssertRefused():
                self._assert_refused(directive)
            case Unknown():
                raise Skipped(f"there is no way here to run `{directive.keyword}`")

    # ---- definitions -----------------------------------------------------------------------------------------------

    def _define(self, directive: Define) -> None:
        source = directive.source
        if directive.is_instantiated:
            self._make(source.name, lambda: self._guest(source.sort, to_bytes(source)))
            return
        wasm = to_bytes(source)
        self._check(source.sort, wasm)
        self.last_definition = wasm
        if source.name is not None:
            self.definitions[source.name] = wasm

    def _instantiate(self, directive: Instantiate) -> None:
        name = directive.definition
        wasm = self.last_definition if name is None else self.definitions.get(name)
        if wasm is None:
            raise Failed(f"there is no definition {name or ''}")
        self._make(directive.name, lambda: self._guest(directive.sort, wasm))

    def _make(self, name: str | None, make: Callable[[], Guest]) -> None:
        """Make the current instance; what comes later knows if that was not possible."""
        try:
            self.current = make()
        except UnsupportedFeatureError as error:
            self.current = Missing(Skipped(str(error)))
            raise
        except Skipped as skip:
            self.current = Missing(skip)
            raise
        except Exception as error:
            self.current = Missing(Failed(str(error)))
            raise
        finally:
            if name is not None and self.current is not None:
                self.instances[name] = self.current

    def _guest(self, sort: str, wasm: bytes) -> Guest:
        if sort == "module":
            return instantiate_core(self.engine, wasm, self.registered)
        imports = {n: g.exports for n, g in self.registered.items() if isinstance(g, wippywasm.Guest)}
        return wippywasm.load(wasm, engine=self.engine).instantiate(imports)

    def _check(self, sort: str, wasm: bytes) -> None:
        """Decode and validate, down to the code of nested core modules."""
        if sort == "module":
            self.engine.compile(wasm)
        else:
            self._compile_all(binary.decode(wasm))

    def _compile_all(self, component: Component) -> None:
        for definition in component.definitions:
            if isinstance(definition, CoreModule):
                self.engine.compile(definition.wasm)
            elif isinstance(definition, NestedComponent):
                self._compile_all(definition.component)

    def _instance(self, name: str | None) -> Guest:
        found = self.current if name is None else self.instances.get(name)
        if isinstance(found, Missing):
            raise found.why
        if found is None:
            raise Failed(f"there is no instance {name or ''}")
        return found

    # ---- actions ---------------------------------------------------------------------------------------------------

    def _act(self, action: Action) -> Any:
        """The result of an action, where it is a component's in the terms of `wast_values`."""
        guest = self._instance(action.instance)
        try:
            return self._act_on(guest, action)
        except UnsupportedFeatureError as error:
            self.unsupported[guest] = error
            raise
        except PoisonedError as error:
            if guest in self.unsupported:
                raise Skipped(f"an earlier call ended its instance: {self.unsupported[guest]}") from error
            raise

    def _act_on(self, guest: Guest, action: Action) -> Any:
        if isinstance(guest, CoreGuest):
            return guest.act(action.kind, action.name, [wast_values.core_value(arg) for arg in action.args])
        _, type = guest.component.find_function(action.name)
        args = [wast_values.to_python(arg, param.type) for arg, param in zip(action.args, type.params)]
        if not isinstance(type.result, ResultType):
            return guest.call(action.name, *args)
        try:
            return Ok(guest.call(action.name, *args))
        except WitError as error:
            return Err(error.payload)

    def _assert_return(self, directive: AssertReturn) -> None:
        guest = self._instance(directive.action.instance)
        actual = self._act(directive.action)
        if isinstance(guest, CoreGuest):
            expected: Any = [wast_values.core_value(group) for group in directive.results]
        else:
            result = guest.component.find_function(directive.action.name)[1].result
            values = [wast_values.to_python(g, result) for g in directive.results if result is not None]
            expected = values[0] if values else None
            if not directive.results and isinstance(actual, Ok) and actual.value is None:
                return
        if not wast_values.same(actual, expected):
            raise Failed(f"expected {expected!r}, got {actual!r}")

    def _assert_fails(self, directive: AssertFails) -> None:
        subject = directive.subject
        try:
            if isinstance(subject, Source):
                self._guest(subject.sort, to_bytes(subject)).close()
            else:
                self._act(subject)
        except PoisonedError as error:
            expect_message(directive.message, error.message.partition(":")[0])  # behind it is what happened earlier
        except (Trap, GuestExit) as error:
            expect_message(directive.message, str(error))
        else:
            raise Failed(f"expected a trap ({directive.message}), got none")

    # ---- refusals --------------------------------------------------------------------------------------------------

    def _assert_refused(self, directive: AssertRefused) -> None:
        expected = REFUSALS[directive.kind]
        try:
            wasm = to_bytes(directive.source)
        except Skipped as skip:
            self._refused_as_text(directive, skip)
            return
        try:
            self._check(directive.source.sort, wasm)
            if directive.kind == "assert_unlinkable":
                self._guest(directive.source.sort, wasm).close()
        except expected as error:
            expect_message(directive.message, str(error))
        except (ValidationError, MalformedError, LinkError) as error:
            raise Failed(f"expected {expected.__name__}, got {type(error).__name__}: {error}") from error
        else:
            raise Failed(f"accepted, but expected: {directive.message}")

    def _refused_as_text(self, directive: AssertRefused, skip: Skipped) -> None:
        """Text that does not parse is what `assert_malformed` asks for; names that resolve to nothing are invalid too.

        Any other refusal of the text says nothing about what is asserted.
        """
        if directive.kind != "assert_malformed" and not same_meaning(directive.message, str(skip)):
            raise skip
        expect_message(directive.message, str(skip))


_OLDER_SPELLING = ("WAST_STRICT_COMPONENT_INDICES", "0")
"""Lets the translator take `(memory $i "memory")` for a nested reference, as most files that exist write it."""


def to_bytes(source: Source) -> bytes:
    """The binary of a source; `Skipped` where the translator does not take its text."""
    if source.wasm is not None:
        return source.wasm
    assert source.text is not None
    os.environ.setdefault(*_OLDER_SPELLING)
    try:
        return wat2wasm(source.text)
    except WatSyntaxError as error:
        raise Skipped(f"the text parser refuses it: {error}") from error


def expect_message(expected: str, actual: str) -> None:
    """`Failed` where the message is not the one that the vector expects."""
    if not same_meaning(expected, actual):
        _fail(f"expected a message like {expected!r}, got {actual!r}")


def _fail(message: str) -> NoReturn:
    raise Failed(message)
