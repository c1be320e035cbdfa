"""What a program receives: messages of its inbox or of a topic, or events.

In: a mailbox. Out: plain values, one after the other; None when there will be no more. Spec: SPEC section 9.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from wippywasm.app.processes.mailbox import Mailbox, Message
from wippywasm.errors import InvalidError


class Subscription:
    """`receive` waits for the next one; closing ends it."""

    def __init__(self, receive: Callable[[], Awaitable[dict[str, Any] | None]], close: Callable[[], None]) -> None:
        self.receive = receive
        self.close = close

    @classmethod
    def to_inbox(cls, mailbox: Mailbox) -> Subscription:
        """Messages that nobody listens to by their topic."""

        async def receive() -> dict[str, Any] | None:
            return _facts(await mailbox.receive(mailbox.inbox))

        return cls(receive, _nothing)

    @classmethod
    def to_topic(cls, mailbox: Mailbox, topic: str) -> Subscription:
        """Messages of one topic; raises InvalidError for the runtime's own, AlreadyExistsError where one listens."""
        if topic.startswith("@"):
            raise InvalidError(f"can't listen to {topic!r:.80}", hint="topics with '@' are the runtime's")
        stream = mailbox.listen(topic)

        async def receive() -> dict[str, Any] | None:
            return _facts(await mailbox.receive(stream))

        return cls(receive, lambda: mailbox.unlisten(topic))

    @classmethod
    def to_events(cls, mailbox: Mailbox) -> Subscription:
        """Events."""
        mailbox.is_heard = True

        async def receive() -> dict[str, Any] | None:
            event = await mailbox.receive_event()
            return None if event is None else event.as_value()

        return cls(receive, _nothing)


def _facts(message: Message | None) -> dict[str, Any] | None:
    if message is None:
        return None
    return {"topic": message.topic, "from": message.sender, "payload": message.payload}


def _nothing() -> None:
    return
