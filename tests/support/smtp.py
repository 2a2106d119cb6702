"""An SMTP server that keeps what it is sent, and can be told to refuse at any point of the talk."""

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
    """Where mail arrives: `messages` in order; `refuse_with` is what it answers instead, such as "451 later".

    `refuse_at` says which command is answered so: MAIL, RCPT, DATA or NOOP.
    """

    url: str = ""
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse_with: str = ""
    refuse_at: str = "DATA"

    async def handle_NOOP(self, _server: Any, _session: Any, _envelope: Any, _arg: Any) -> str:
        """Answer whether we listen."""
        return self._refusal("NOOP") or "250 here"

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Answer whether we take anything from this sender."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._refusal("MAIL") or "250 go on"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Answer whether we take anything for this recipient."""
        if refusal := self._refusal("RCPT"):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 go on"

    def _refusal(self, command: str) -> str:
        return self.refuse_with if self.refuse_at == command else ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Answer one message."""
        if refusal := self._refusal("DATA"):
            return refusal
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
