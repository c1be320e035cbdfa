"""Directives → what our library makes of them.

In: the directives of one file, in order. Out: nothing where one holds, `Failed` where it does not, `Skipped` where it
can't be tried, with the reason. A `Session` keeps what the directives define.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import wippywasm
from spec_tests import wast_core_values, wast_values
from spec_tests.wast_core import CoreGuest, CoreWorld
from spec_tests.wast_directives import (
    Action,
    AssertFails,
    AssertRefused,
    AssertReturn,
    Define,
    Directive,
    Instantiate,
    Malformed,
    Register,
    Source,
    Thread,
    Unknown,
    Wait,
)
from spec_tests.wast_features import features_of, is_marked, is_only_validated, unsupported
from spec_tests.wast_host import ASYNC_HOST_NAMES, HOST, HOST_NAMES
from spec_tests.wast_messages import not_a_rule, same_meaning, same_refusal_of_text
from spec_tests.wast_outcomes import (
    Failed,
    Missing,
    Skipped,
    Untranslated,
    Validated,
    expect_message,
    reason_of,
    to_bytes,
)
from spec_tests.wast_syntax import Group, WastSyntaxError, line_of
from spec_tests.wast_values import NoWay
from wippywasm import binary
from wippywasm.binary.component import Component, CoreModule, InstanceType, NestedComponent
from wippywasm.engine import get, wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import (
    BinaryError,
    GuestExit,
    LinkError,
    MalformedError,
    PoisonedError,
    Trap,
    UnsupportedFeatureError,
    ValidationError,
    WippyError,
    WitError,
)
from wippywasm.model import FuncType, ResultType
from wippywasm.values import Err, Ok

Guest = wippywasm.Guest | CoreGuest
REFUSALS: dict[str, type[WippyError]] = {
    "assert_invalid": ValidationError,
    "assert_malformed": MalformedError,
    "assert_malformed_custom": MalformedError,
    "assert_unlinkable": LinkError,
}
UNSPOKEN = {"assert_exception": "uncaught exception", "assert_suspension": "unhandled tag"}
"""What a directive expects that says nothing, or nothing of use."""

EXHAUSTED = "call stack exhausted"
"""The code of a trap that is no fault of the guest's semantics."""


class Session:
    """One run of one file."""

    def __init__(self, source: str, engine: str | None) -> None:
        self.source = source
        self.features = features_of(source)
        self.is_lenient = is_marked(source)
        self.only_validates = is_only_validated(source)
        self.engine: Engine = get(engine)
        self.core = CoreWorld(self.engine)
        self.host: wippywasm.Guest | None = None
        self.threads: dict[str | None, Skipped | None] = {}
        """Those that were started, with why one could not be."""
        self.definitions: dict[str, bytes | Missing] = {}
        self.last_definition: bytes | Missing | None = None
        self.instances: dict[str, Guest | Missing] = {}
        self.current: Guest | Missing | None = None
        self.registered: dict[str, Guest] = {}
        self.missing: dict[str, Missing] = {}
        """What would be registered, had it come up."""
        self.unsupported: dict[Guest, UnsupportedFeatureError] = {}

    def close(self) -> None:
        """Close every guest that the file made."""
        for guest in [*self.instances.values(), self.current, self.host]:
            if isinstance(guest, wippywasm.Guest):
                try:
                    guest.close()
                except WippyError:
                    continue
        self.core.close()

    def run(self, directive: Directive) -> None:
        """Raises `Failed`, `Skipped` or `Validated`."""
        try:
            self._run(directive)
        except (Failed, Skipped, Validated):
            raise
        except Exception as error:
            raise self._reason(error) from error

    def _reason(self, error: Exception) -> Failed | Skipped:
        """What an error says of the directive that it ends."""
        if isinstance(error, Failed | Skipped):
            return error
        if isinstance(error, UnsupportedFeatureError | NoWay):
            return Skipped(str(error))
        if isinstance(error, RecursionError):
            return Failed("values are nested too deeply")
        if isinstance(error, WastSyntaxError):
            return Failed(f"malformed, line {line_of(self.source, error.offset)}: {error}")
        lacking = unsupported(error, self.features) if isinstance(error, BinaryError) else None
        if lacking:
            return Skipped(lacking)
        crashed = "" if isinstance(error, WippyError) else "crashed with "
        return Failed(f"{crashed}{type(error).__name__}: {error}")

    def _run(self, directive: Directive) -> None:
        match directive:
            case Define():
                self._define(directive)
            case Instantiate():
                self._instantiate(directive)
            case Register():
                self._register(directive)
            case Action():
                self._act(directive)
            case AssertReturn():
                self._assert_return(directive)
            case AssertFails():
                self._assert_fails(directive)
            case AssertRefused():
                self._assert_refused(directive)
            case Thread():
                self._run_thread(directive)
            case Wait():
                self._wait(directive)
            case Unknown():
                raise Skipped(f"there is no way here to run `{directive.keyword}`")
            case Malformed():
                raise Failed(directive.why)

    def _run_thread(self, thread: Thread) -> None:
        """Run a thread's directives at once, which is one of the orders that threads may run in."""
        self.threads[thread.name] = None
        session = Session(self.source, self.engine.name)
        try:
            if thread.shared is not None:
                raise Skipped("the thread shares a memory; instances of two stores share none through the engine port")
            for directive in thread.directives:
                with suppress(Validated):
                    session.run(directive)
        except Skipped as skip:
            self.threads[thread.name] = skip
            raise
        finally:
            session.close()

    def _wait(self, wait: Wait) -> None:
        if wait.name not in self.threads:
            raise Failed(f"there is no thread {wait.name or ''}")
        skip = self.threads[wait.name]
        if skip is not None:
            raise Skipped(f"its thread did not run: {skip}")

    # ---- definitions -----------------------------------------------------------------------------------------------

    def _define(self, directive: Define) -> None:
        source = directive.source
        if directive.is_instantiated and self.only_validates:
            self._make(source.name, lambda: self._validated(source))
            return
        if directive.is_instantiated:
            may_be_open = source.sort == "component"
            self._make(source.name, lambda: self._guest(source.sort, self._defined(source)), may_be_open=may_be_open)
        else:
            self._defined(source, self._check)

    def _defined(self, source: Source, check: Callable[[str, bytes], None] | None = None) -> bytes:
        """The bytes of a definition, of which more instances can be made; what comes later knows where it failed."""
        known: bytes | Missing | None = None
        try:
            known = wasm = to_bytes(source)
            if check is not None:
                check(source.sort, wasm)
        except Exception as error:
            known = Missing(self._reason(error))
            raise
        finally:
            if known is not None:
                self.last_definition = known
                if source.name is not None:
                    self.definitions[source.name] = known
        return wasm

    def _register(self, directive: Register) -> None:
        try:
            self._provide(directive.name, self._instance(directive.instance))
        except (Failed, Skipped) as why:
            self._provide(directive.name, Missing(why))
            raise

    def _provide(self, name: str, guest: Guest | Missing) -> None:
        """Let what comes later import a guest by that name, or know why there is none."""
        if isinstance(guest, Missing):
            self.registered.pop(name, None)
            self.missing[name] = guest
        else:
            self.missing.pop(name, None)
            self.registered[name] = guest

    def _validated(self, source: Source) -> Guest | Missing:
        """What is valid, as an instance where it can be one."""
        wasm = to_bytes(source)
        self._check(source.sort, wasm)
        try:
            return self._guest(source.sort, wasm)
        except (Failed, Skipped, WippyError) as error:
            return Missing(Skipped(str(error)))

    def _instantiate(self, directive: Instantiate) -> None:
        name = directive.definition
        wasm = self.last_definition if name is None else self.definitions.get(name)
        if wasm is None:
            raise Failed(f"there is no definition {name or ''}")
        self._make(directive.name, lambda: self._guest(directive.sort, wasm))

    def _make(self, name: str | None, make: Callable[[], Guest | Missing], *, may_be_open: bool = False) -> None:
        """Make the current instance, and let it be imported by its name; what comes later knows where that failed.

        One that `may_be_open` is only decoded and validated where the file provides nothing for an import: tools that
        run nothing have such files.
        """
        try:
            self.current = make()
        except LinkError as error:
            provided = error.import_name.partition("#")[0] in {*self.registered, *HOST_NAMES}
            open_import = Skipped(f"nothing in the file provides its import {error.import_name!r}")
            self.current = Missing(Failed(str(error)) if provided else open_import)
            if provided or not may_be_open:
                raise
            raise Validated(str(open_import)) from error
        except Exception as error:
            self.current = Missing(self._reason(error))
            raise
        finally:
            if name is not None and self.current is not None:
                self.instances[name] = self.current
                self._provide(name.removeprefix("$"), self.current)

    def _guest(self, sort: str, wasm: bytes | Missing) -> Guest:
        if isinstance(wasm, Missing):
            raise wasm.why
        try:
            return self._linked(sort, wasm)
        except LinkError as error:
            lacking = self.missing.get(error.import_name.partition("#")[0])
            if lacking is not None:
                raise lacking.why from error
            raise

    def _linked(self, sort: str, wasm: bytes) -> Guest:
        if sort == "module":
            return self.core.instantiate(wasm, self.registered)
        decoded = binary.decode(wasm, features=self.features)
        imports = {n: g.exports for n, g in self.registered.items() if isinstance(g, wippywasm.Guest)}
        return wippywasm.load(wasm, engine=self.engine).instantiate({**self._hosts(decoded), **imports})

    def _hosts(self, component: Component) -> dict[str, Any]:
        """What every file may import, where this component does."""
        wanted = component.type.imports
        host = wanted.get("host")
        names = wanted.keys() | (host.exports.keys() if isinstance(host, InstanceType) else set())
        waiting = sorted(ASYNC_HOST_NAMES & names)
        if waiting:
            raise Skipped(f"the host function `{waiting[0]}` waits, and hosts that wait are not provided to files")
        if not wanted.keys() & set(HOST_NAMES):
            return {}
        if self.host is None:
            self.host = wippywasm.load(wat2wasm(HOST), engine=self.engine).instantiate()
        return {name: self.host.exports[name] for name in HOST_NAMES}

    def _check(self, sort: str, wasm: bytes) -> None:
        """Decode and validate, down to the code of nested core modules."""
        if sort == "module":
            self.engine.compile(wasm)
        else:
            self._compile_all(binary.decode(wasm, features=self.features))

    def _compile_all(self, component: Component) -> None:
        for definition in component.definitions:
            if isinstance(definition, CoreModule):
                self.engine.compile(definition.wasm, definition.info)
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
        """The result of an action: bits where it is a core one, else in the terms of `wast_values`."""
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
            params = guest.type_of(action.kind, action.name).params
            bits = wast_core_values.arguments(action.args, params, action.group)
            return guest.act(action.kind, action.name, bits)
        type = _function(guest, action)
        args = wast_values.arguments(action.args, type, action.group)
        if not isinstance(type.result, ResultType):
            return guest.call(action.name, *args)
        try:
            return Ok(guest.call(action.name, *args))
        except WitError as error:
            return Err(error.payload)

    def _assert_return(self, directive: AssertReturn) -> None:
        """The expected results are read first: malformed ones are told also where the action can't be run."""
        action = directive.action
        guest = self._instance(action.instance)
        try:
            if isinstance(guest, CoreGuest):
                self._assert_core(guest, action, directive.results)
            else:
                self._assert_value(guest, action, directive.results)
        except NoWay:
            self._act(action)  # for what it does to the instance
            raise

    def _assert_core(self, guest: CoreGuest, action: Action, expected: tuple[Group, ...]) -> None:
        types = guest.type_of(action.kind, action.name).results
        patterns = wast_core_values.patterns(expected, types, action.group)
        actual = self._act(action)
        if not all(pattern.matches(bits) for pattern, bits in zip(patterns, actual)):
            wanted = " ".join(self.source[group.start : group.end] for group in expected)
            raise Failed(f"expected {wanted}, got {wast_core_values.show(actual, types)}")

    def _assert_value(self, guest: wippywasm.Guest, action: Action, groups: tuple[Group, ...]) -> None:
        expected = wast_values.result(groups, _function(guest, action).result, action.group)
        actual = self._act(action)
        if not wast_values.same(actual, expected):
            raise Failed(f"expected {expected!r}, got {actual!r}")

    def _assert_fails(self, directive: AssertFails) -> None:
        subject = directive.subject
        message = UNSPOKEN.get(directive.kind, directive.message)
        try:
            if isinstance(subject, Source):
                self._try_instance(subject.sort, to_bytes(subject))
            else:
                self._act(subject)
        except (Trap, GuestExit, PoisonedError) as error:
            if directive.kind == "assert_exhaustion" and getattr(error, "code", "") != EXHAUSTED:
                raise Failed(f"expected {EXHAUSTED}, got {error}") from error
            expect_message(message, reason_of(error))
        else:
            raise Failed(f"expected a trap ({message}), got none")

    def _try_instance(self, sort: str, wasm: bytes) -> None:
        guest = self._guest(sort, wasm)
        if isinstance(guest, wippywasm.Guest):
            guest.close()

    # ---- refusals --------------------------------------------------------------------------------------------------

    def _assert_refused(self, directive: AssertRefused) -> None:
        """What holds passes, also where the rule is one of another runtime only."""
        try:
            self._refuse(directive)
        except Failed as failed:
            foreign = not_a_rule(directive.message)
            if foreign is None:
                raise
            raise Skipped(foreign) from failed

    def _refuse(self, directive: AssertRefused) -> None:
        expected = REFUSALS[directive.kind]
        try:
            wasm = to_bytes(directive.source)
        except Untranslated as text:
            self._refused_as_text(directive, text)
            return
        try:
            self._check(directive.source.sort, wasm)
            if directive.kind == "assert_unlinkable":
                self._try_instance(directive.source.sort, wasm)
        except expected as error:
            expect_message(directive.message, str(error))
        except BinaryError as error:
            if unsupported(error, self.features):
                raise
            if not self.is_lenient or expected is LinkError:
                raise Failed(f"expected {expected.__name__}, got {type(error).__name__}: {error}") from error
            expect_message(directive.message, str(error))
        except LinkError as error:
            raise Failed(f"expected {expected.__name__}, got {type(error).__name__}: {error}") from error
        else:
            raise Failed(f"accepted, but expected: {directive.message}")

    def _refused_as_text(self, directive: AssertRefused, text: Untranslated) -> None:
        """Text that does not parse is what `assert_malformed` asks for; names that resolve to nothing are invalid too.

        Any other refusal of the text says nothing about what is asserted.
        """
        message = directive.message
        if directive.kind.startswith("assert_malformed"):
            if not same_refusal_of_text(message, text.said):
                raise Failed(f"expected a message like {message!r}, got {text.said!r}")
        elif directive.kind != "assert_invalid" or not message or not same_meaning(message, text.said):
            raise text


def _function(guest: wippywasm.Guest, action: Action) -> FuncType:
    """The type of what an action calls; the library's shorter forms of a name are none of a file's."""
    if action.kind != "invoke":
        raise Failed(f"a component exports no globals for `{action.kind}`")
    name, type = guest.component.find_function(action.name)
    if name != action.name:
        raise Failed(f"there is no export {action.name!r}, only {name!r}")
    return type
