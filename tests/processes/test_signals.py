"""Processes of plain Python: bonds, ends, deadlines, limits. Spec: SPEC section 9."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from hypothesis.strategies import booleans, sampled_from

from tests.processes.conftest import FakeClock, FakeWorld, processes, settle
from wippywasm.app.processes.events import CANCEL, EXIT, LINK_DOWN, Event, Outcome
from wippywasm.app.processes.mailbox import Mailbox, Message, size_of
from wippywasm.app.processes.member import Process
from wippywasm.app.processes.names import MAX_NAMES, Names
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.request import Bond, Start
from wippywasm.errors import AlreadyExistsError, CanceledError, InternalError, InvalidError, RateLimitedError


def run(test: Coroutine[Any, Any, None]) -> None:
    async def alone() -> None:
        await test
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(alone())


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def spawn(made: Processes, name: str = "wait", **more: Any) -> Process:
    return made.spawn(Start(f"t:{name}", "t:host", **more))


def events(process: Process) -> list[Event]:
    return list(process.mailbox.events.queue)


def test_a_deadline_ends_who_does_not_end() -> None:
    async def test() -> None:
        world, clock = FakeWorld(wait=forever), FakeClock()
        made = processes(world, clock)
        watcher = spawn(made)
        process = spawn(made, parent=watcher.pid, bond=Bond.MONITOR)
        made.cancel(process, None, 5.0, "enough")
        made.cancel(process, None, 50.0, "later does not count")
        assert [(e.kind, e.facts["reason"]) for e in events(process)] == [(CANCEL, "later does not count")]
        await clock.pass_(4)
        assert process.outcome is None
        await clock.pass_(1)
        assert isinstance(process.ended.result().error, CanceledError)
        assert [(e.kind, e.sender) for e in events(watcher)] == [(EXIT, process.pid)]
        assert clock.next_due is None
        await made.close()
        assert world.live == 0

    run(test())


def test_an_end_in_time_needs_no_deadline() -> None:
    async def test() -> None:
        clock = FakeClock()

        async def polite() -> str:
            await clock.sleep(1)
            return "done"

        made = processes(FakeWorld(polite=polite), clock)
        process = spawn(made, "polite")
        await settle()
        made.cancel(process, None, 5.0, None)
        await clock.pass_(100)
        assert process.ended.result().value == "done"
        assert clock.next_due is None
        await made.close()

    run(test())


def test_whoever_is_killed_before_it_begins_leaves_nothing() -> None:
    async def test() -> None:
        world = FakeWorld(wait=forever)
        made = processes(world)
        process = spawn(made)
        made.kill(process, "was terminated")
        await settle()
        assert made.hosts[0].count == 0
        assert world.live == 0
        await made.close()

    run(test())


def test_a_chain_of_links_falls_with_its_end() -> None:
    async def test() -> None:
        made = processes(FakeWorld(wait=forever))
        chain = [spawn(made)]
        for _ in range(2000):
            chain.append(spawn(made, parent=chain[-1].pid, bond=Bond.LINK))
        watcher = spawn(made)
        made.table.topology.monitor(watcher.pid, chain[-1].pid)
        made.kill(chain[0], "was terminated")
        assert all(process.outcome is not None for process in chain)
        assert isinstance(chain[1].ended.result().error, InternalError)
        assert [e.kind for e in events(watcher)] == [EXIT]
        await made.close()

    run(test())


def test_a_host_has_its_number_of_processes() -> None:
    async def test() -> None:
        made = processes(FakeWorld(wait=forever))
        made.hosts[0].max_processes = 2
        first, _ = spawn(made), spawn(made)
        with pytest.raises(RateLimitedError, match="max_processes"):
            spawn(made)
        made.kill(first, "was terminated")
        await settle()
        spawn(made)
        await made.close()

    run(test())


def test_a_taken_name_starts_nothing() -> None:
    async def test() -> None:
        made = processes(FakeWorld(wait=forever))
        made.spawn(Start("t:wait", "t:host", name="x"))
        with pytest.raises(AlreadyExistsError):
            made.spawn(Start("t:wait", "t:host", name="x"))
        assert made.hosts[0].count == 1
        assert len(list(made.table.processes())) == 1
        await made.close()

    run(test())


def test_a_thousand_processes() -> None:
    async def test() -> None:
        world = FakeWorld(wait=forever)
        made = processes(world)
        parent = spawn(made)
        children = [spawn(made, parent=parent.pid, bond=Bond.MONITOR) for _ in range(1000)]
        await settle()
        assert world.live == 1001
        for child in children:
            made.kill(child, "was terminated")
        await settle()
        assert world.live == 1
        assert [e.sender for e in events(parent)] == [child.pid for child in children]
        await made.close()
        assert made.table.topology.is_empty
        assert made.hosts[0].count == 0

    run(test())


def test_a_bug_in_a_worker_is_the_end_of_its_process_only() -> None:
    async def test() -> None:
        async def bug() -> None:
            raise ZeroDivisionError("oops")

        made = processes(FakeWorld(bug=bug, wait=forever))
        process, other = spawn(made, "bug"), spawn(made)
        await settle()
        assert "ZeroDivisionError: oops" in str(process.ended.result().error)
        assert other.outcome is None
        await made.close()

    run(test())


# mailboxes


def test_messages_are_bounded_by_number_and_by_size() -> None:
    box = Mailbox(2, max_bytes=1000)
    box.put(Message("x", None, None, 400), Message("x", None, None, 400))
    with pytest.raises(RateLimitedError, match="2 messages"):
        box.put(Message("x", None, None))
    assert len(box) == 2
    box = Mailbox(10, max_bytes=1000)
    box.put(Message("x", None, None, 900))
    with pytest.raises(RateLimitedError, match="900 bytes"):
        box.put(Message("x", None, None, 200))


def test_receiving_makes_room() -> None:
    async def test() -> None:
        box = Mailbox(1)
        for i in range(5):
            box.put(Message("x", i, None, size_of(i)))
            message = await box.receive(box.inbox)
            assert message is not None
            assert message.payload == i
        assert len(box) == 0

    run(test())


def test_who_waits_for_a_message_that_never_comes_is_told() -> None:
    async def test() -> None:
        box = Mailbox(1)
        waiting = [asyncio.ensure_future(box.receive(box.listen("x"))), asyncio.ensure_future(box.receive_event())]
        await settle()
        box.close()
        assert await asyncio.gather(*waiting) == [None, None]

    run(test())


def test_a_topic_has_one_listener() -> None:
    box = Mailbox(1)
    box.listen("x")
    with pytest.raises(AlreadyExistsError):
        box.listen("x")


def test_what_a_large_message_holds_is_counted() -> None:
    assert size_of("x" * 10_000) > 10_000
    assert size_of([b"x" * 10_000, {"k": "y" * 10_000}]) > 20_000


@pytest.mark.parametrize("value", [object(), {"a": [1, object()]}, lambda: 1])
def test_only_plain_values_can_be_told(value: Any) -> None:
    with pytest.raises(InvalidError, match="can't be sent"):
        size_of(value)

    async def test() -> None:
        async def give() -> Any:
            return value

        made = processes(FakeWorld(give=give))
        process = spawn(made, "give")
        assert isinstance((await process.ended).error, InvalidError)
        await made.close()

    run(test())


# names


@pytest.mark.parametrize("name", ["", "{x}", "@x", "x" * 257])
def test_what_can_not_be_a_name(name: str) -> None:
    with pytest.raises(InvalidError):
        Names().register(name, "{p}")


def test_a_process_has_so_many_names() -> None:
    names = Names()
    for i in range(MAX_NAMES):
        names.register(f"n{i}", "{p}")
    with pytest.raises(RateLimitedError):
        names.register("one more", "{p}")
    names.end("{p}")
    names.register("n1", "{q}")
    assert names.lookup("n1") == "{q}"


class Bonds(RuleBasedStateMachine):
    """Whatever is bound, unbound and ended, in any order: each bond is told of its end once, and none other."""

    pids = Bundle("pids")

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.made = self.run(self._new())
        self.live: dict[str, Process] = {}
        self.everybody: list[Process] = []
        self.monitors: set[tuple[str, str]] = set()
        self.links: set[frozenset[str]] = set()
        self.expected: dict[str, list[tuple[str, str]]] = {}

    async def _new(self) -> Processes:
        return processes(FakeWorld(wait=forever))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @rule(
        target=pids, traps=booleans(), bond=sampled_from([Bond.NONE, Bond.MONITOR, Bond.LINK, Bond.MONITOR | Bond.LINK])
    )
    def spawn(self, traps: bool, bond: Bond) -> str:
        parent = next(iter(self.live), None)

        async def go() -> Process:
            return spawn(self.made, parent=parent, bond=bond if parent else Bond.NONE)

        process: Process = self.run(go())
        process.trap_links = traps
        self.live[process.pid] = process
        self.everybody.append(process)
        self.expected[process.pid] = []
        if parent is not None and Bond.MONITOR in bond:
            self.monitors.add((parent, process.pid))
        if parent is not None and Bond.LINK in bond:
            self.links.add(frozenset((parent, process.pid)))
        return process.pid

    def both_live(self, one: str, other: str) -> bool:
        return one != other and one in self.live and other in self.live

    @rule(one=pids, other=pids)
    def monitor(self, one: str, other: str) -> None:
        if self.both_live(one, other):
            self.made.table.topology.monitor(one, other)
            self.monitors.add((one, other))

    @rule(one=pids, other=pids)
    def unmonitor(self, one: str, other: str) -> None:
        self.made.table.topology.unmonitor(one, other)
        self.monitors.discard((one, other))

    @rule(one=pids, other=pids)
    def link(self, one: str, other: str) -> None:
        if self.both_live(one, other):
            self.made.table.topology.link(one, other)
            self.links.add(frozenset((one, other)))

    @rule(one=pids, other=pids)
    def unlink(self, one: str, other: str) -> None:
        self.made.table.topology.unlink(one, other)
        self.links.discard(frozenset((one, other)))

    @rule(pid=consumes(pids), fails=booleans())
    def end(self, pid: str, fails: bool) -> None:
        if pid not in self.live:
            return
        process = self.live[pid]
        self._model_end(pid, fails)

        async def go() -> None:
            if fails:
                self.made.kill(process, "was terminated")
            else:
                self.made.table.end(process, Outcome("fine"))
            await settle()

        self.run(go())

    def _model_end(self, pid: str, fails: bool) -> None:
        del self.live[pid]
        for watcher, target in sorted(self.monitors):
            if target == pid and watcher in self.live:
                self.expected[watcher].append((EXIT, pid))
        self.monitors = {bond for bond in self.monitors if pid not in bond}
        linked = [other for bond in self.links if pid in bond for other in bond if other != pid]
        self.links = {bond for bond in self.links if pid not in bond}
        falling = [other for other in linked if fails and other in self.live]
        for other in falling:
            if other in self.live and self.live[other].trap_links:
                self.expected[other].append((LINK_DOWN, pid))
        for other in falling:
            if other in self.live and not self.live[other].trap_links:
                self._model_end(other, True)

    @invariant()
    def everybody_knows_what_they_should(self) -> None:
        if not hasattr(self, "made"):
            return
        assert {process.pid for process in self.made.table.processes()} == set(self.live)
        for pid, process in self.live.items():
            told = sorted((event.kind, event.sender) for event in events(process))
            assert told == sorted(self.expected[pid])
        for process in self.everybody:
            assert process.ended.done() == (process.pid not in self.live)

    def teardown(self) -> None:
        if hasattr(self, "made"):
            self.run(self.made.close())
            assert self.made.table.topology.is_empty
            assert self.made.hosts[0].count == 0
            self.loop.close()


Bonds.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestBonds = Bonds.TestCase
