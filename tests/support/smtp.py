"""An SMTP server that keeps what it is sent, and can be told to refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller


class AnyPort(Controller):
    """A controller that takes whatever port is free."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass
class CatchingServer:
    """Where mail arrives: `messages` in order; `refuse_with` is what it answers instead, such as "451 later"."""

    url: str = ""
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse_with: str = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Answer one message."""
        if self.refuse_with:
            return self.refuse_with
        self.messages.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=default)))
        self.recipients.extend(envelope.rcpt_tos)
        return "250 kept"


@contextmanager
def catching_server() -> Iterator[CatchingServer]:
    """Run a server on a free port for the length of a block."""
    caught = CatchingServer()
    controller = AnyPort(caught, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        caught.url = f"smtp://127.0.0.1:{controller.port}"
        yield caught
    finally:
        controller.stop()
