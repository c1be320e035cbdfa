"""What was sent to a process and not received yet.

In: messages of any sender, in their order; events. Out: streams of them: by topic, of all other topics, of events.
Spec: SPEC section 9.

A message goes to the one who listens to its topic, else to the inbox; those that came before anybody listened wait, and
go to whoever listens first. Messages are bounded in number and size. Events are not refused: there are at most as many
as bonds of the process, and one request to end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from wippywasm.app.processes.events import CANCEL, OUTDATED, Event
from wippywasm.dataclass import dataclass
from wippywasm.errors import AlreadyExistsError, InvalidError, RateLimitedError, WippyError, with_article
from wippywasm.values import Err, Ok, Some, Variant

MAX_BYTES = 64 << 20
"""What all messages in one mailbox may hold together, roughly."""

T = TypeVar("T")


@dataclass(frozen=True)
class Message:
    """Sent by the process `sender` (None for others); `size` is about what it holds, in bytes."""

    topic: str
    payload: Any
    sender: str | None
    size: int = 0


class Stream(Generic[T]):
    """A queue with one reader."""

    def __init__(self) -> None:
        self.queue: deque[T] = deque()
        self.is_closed = False
        self._waiter: asyncio.Future[None] | None = None

    def push(self, item: T) -> None:
        self.queue.append(item)
        self._wake()

    async def wait(self) -> bool:
        """Until there is something, or the stream is closed; tells whether there is."""
        while not self.queue and not self.is_closed:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return bool(self.queue)

    def close(self) -> None:
        self.is_closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Mailbox:
    """The mailbox of one process: at most `places` messages."""

    def __init__(self, places: int, max_bytes: int = MAX_BYTES) -> None:
        self._places = places
        self._max_bytes = max_bytes
        self._bytes = 0
        self._count = 0
        self._topics: dict[str, Stream[Message]] = {}
        self.inbox: Stream[Message] = Stream()
        self.events: Stream[Event] = Stream()
        self.is_heard = False
        """Whether the program has asked to hear of events."""

    def __len__(self) -> int:
        return self._count

    def put(self, *messages: Message) -> None:
        """Take in messages, all or none; raises RateLimitedError where there is no room."""
        size = sum(message.size for message in messages)
        if self._count + len(messages) > self._places:
            raise RateLimitedError(f"its mailbox is full: {self._places} messages wait", hint="send less, or later")
        if self._bytes + size > self._max_bytes:
            raise RateLimitedError(f"its mailbox is full: messages of {self._bytes} bytes wait", hint="send less")
        self._bytes += size
        self._count += len(messages)
        for message in messages:
            self._topics.get(message.topic, self.inbox).push(message)

    def put_event(self, event: Event) -> None:
        """Take in an event; of several that wait and ask for an end, the last counts; so it is with other code."""
        if event.kind in (CANCEL, OUTDATED):
            waiting = [e for e in self.events.queue if e.kind != event.kind]
            self.events.queue.clear()
            self.events.queue.extend(waiting)
        self.events.push(event)

    def news(self) -> frozenset[str]:
        """The entries that a waiting event calls other than before."""
        return frozenset(id for event in self.events.queue if event.kind == OUTDATED for id in event.facts["sources"])

    def listen(self, topic: str) -> Stream[Message]:
        """The messages of one topic, those that wait first; raises AlreadyExistsError for a second listener."""
        if topic in self._topics:
            raise AlreadyExistsError(f"somebody listens to '{topic}' already")
        stream = self._topics[topic] = Stream()
        others = [message for message in self.inbox.queue if message.topic != topic]
        for message in self.inbox.queue:
            if message.topic == topic:
                stream.push(message)
        self.inbox.queue.clear()
        self.inbox.queue.extend(others)
        return stream

    def unlisten(self, topic: str) -> None:
        """Listen no more; what waits goes to the inbox. Harmless where nobody listens."""
        stream = self._topics.pop(topic, None)
        if stream is not None:
            for message in stream.queue:
                self.inbox.push(message)
            stream.queue.clear()
            stream.close()

    async def receive(self, stream: Stream[Message]) -> Message | None:
        """The next message of a stream; None once it is closed and empty."""
        if not await stream.wait():
            return None
        message = stream.queue.popleft()
        self._count -= 1
        self._bytes -= message.size
        return message

    def give_back(self, stream: Stream[Message], message: Message) -> None:
        """Put back what was received last, and nobody has seen."""
        stream.queue.appendleft(message)
        self._count += 1
        self._bytes += message.size

    async def receive_event(self) -> Event | None:
        """The next event; None once the mailbox is closed."""
        return self.events.queue.popleft() if await self.events.wait() else None

    def close(self) -> None:
        """Forget everything; who waits is told."""
        self._count = self._bytes = 0
        for stream in self._streams():
            stream.queue.clear()
            stream.close()

    def _streams(self) -> Iterator[Stream[Any]]:
        yield from self._topics.values()
        yield self.inbox
        yield self.events


_PARTS = (bool, int, float, str, bytes, bytearray, memoryview, WippyError)


def size_of(value: Any) -> int:
    """About how many bytes a plain value holds; raises InvalidError for one that can't be told to others."""
    total, todo = 0, [value]
    while todo:
        item = todo.pop()
        total += 64
        if isinstance(item, str | bytes | bytearray):
            total += len(item)
        elif isinstance(item, Mapping):
            todo += (*item.keys(), *item.values())
        elif isinstance(item, list | tuple | set | frozenset):
            todo += item
        elif isinstance(item, Variant):
            todo.append(item.payload)
        elif isinstance(item, Ok | Err | Some):
            todo.append(item.value)
        elif item is not None and not isinstance(item, _PARTS):
            raise InvalidError(f"{with_article(type(item).__name__)} can't be sent to a process, nor returned by one")
    return total
