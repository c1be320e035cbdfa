"""What a program receives: messages of its inbox or of a topic, or events.

In: a mailbox. Out: plain values, one after the other; None when there will be no more. Spec: SPEC section 9.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from wippywasm.app.processes.events import Event
from wippywasm.app.processes.mailbox import Mailbox, Message, Stream
from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError

Plain: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Where things come from: the next one, one as a plain value, one that goes back to where it came from."""

    next: Callable[[], Awaitable[Any]]
    told: Callable[[Any], Plain]
    give_back: Callable[[Any], None]


class Subscription:
    """`receive` waits for the next one; closing ends it.

    A program asks for the next one before it needs it. Where it leaves for other code, the last one goes back if nobody
    has seen it.
    """

    def __init__(self, source: Source, end: Callable[[], None] | None = None) -> None:
        self._source = source
        self._end = end
        self._last: Any = None
        self._received = 0
        self._seen: int | None = None

    async def receive(self) -> Plain | None:
        self._last = await self._source.next()
        if self._last is None:
            return None
        self._received += 1
        return self._source.told(self._last)

    def leave(self, seen: int) -> None:
        """The program has seen so many, and will see no more."""
        self._seen = seen

    def close(self) -> None:
        if self._last is not None and self._seen is not None and self._seen < self._received:
            self._source.give_back(self._last)
        if self._end is not None:
            self._end()


def to_inbox(mailbox: Mailbox) -> Subscription:
    """Messages that nobody listens to by their topic."""
    return Subscription(_messages(mailbox, mailbox.inbox))


def to_topic(mailbox: Mailbox, topic: str) -> Subscription:
    """Messages of one topic; raises InvalidError for the runtime's own, AlreadyExistsError where one listens."""
    if topic.startswith("@"):
        raise InvalidError(f"can't listen to {topic!r:.80}", hint="topics with '@' are the runtime's")
    return Subscription(_messages(mailbox, mailbox.listen(topic)), lambda: mailbox.unlisten(topic))


def to_events(mailbox: Mailbox) -> Subscription:
    """Events."""
    mailbox.is_heard = True
    return Subscription(Source(mailbox.receive_event, Event.as_value, mailbox.events.queue.appendleft))


def _messages(mailbox: Mailbox, stream: Stream[Message]) -> Source:
    return Source(lambda: mailbox.receive(stream), _facts, lambda message: mailbox.give_back(stream, message))


def _facts(message: Message) -> Plain:
    return {"topic": message.topic, "from": message.sender, "payload": message.payload}
