"""The SMTP door: the envelope's recipient names the source."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.intake.formats.payload import BODY_BYTES_MOST, Payload
from services.intake.houses import Houses
from services.intake.reception import Read
from shared.domain.rulebook.source import Source
from shared.runtime.producer import NotConfirmed

log = structlog.get_logger(__name__)

_LATER = "451 4.3.0 not known to be accepted, please send it again later"


class _Server(SMTP):
    line_length_limit = 64 * 1024
    """Many senders ignore the standard's 1000 bytes; a lead is not refused for that."""


class SmtpDoor:
    """Listens on `host`:`port` (0: a free one; `port` then tells which)."""

    def __init__(self, houses: Houses, *, host: str, port: int) -> None:
        self._houses = houses
        self.host, self.port = host, port
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        loop = asyncio.get_running_loop()
        handler = _Handler(self._houses)
        self._server = await loop.create_server(
            lambda: _Server(
                handler,
                loop=loop,
                hostname="relance",
                ident="Relance",
                data_size_limit=BODY_BYTES_MOST,
                enable_SMTPUTF8=True,
                decode_data=False,
                timeout=60,
            ),
            self.host,
            self.port,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take no more mail."""
        if self._server is not None:
            self._server.close()
            self._server = None


class _Handler:
    def __init__(self, houses: Houses) -> None:
        self._houses = houses

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self._houses.by_mailbox(address) is None:
            return "550 5.1.1 nobody here has this mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """One event per recipient; 250 only once Kafka holds them all.

        When one of several is not acknowledged the sender repeats the whole mail, and those
        that were accepted are recognised by their Message-ID.
        """
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        found = (self._houses.by_mailbox(address) for address in envelope.rcpt_tos)
        entrances = {each.path: each for each in found if each is not None}
        try:
            reads = [
                await each.reception.take(each.source, _payload(content, envelope, each.source))
                for each in entrances.values()
            ]
        except NotConfirmed:
            return _LATER
        return _answer(reads)

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours: the sender keeps the mail and tries again."""
        log.error("mail door failed", exc_info=error)
        return _LATER


def _payload(content: bytes, envelope: Envelope, source: Source) -> Payload:
    return Payload(
        door="smtp",
        content_type="message/rfc822",
        body=content,
        mail_from=envelope.mail_from,
        mailbox=source.mailbox,
    )


def _answer(reads: list[Read]) -> str:
    """250 when any recipient's source could use it; else 554, so that a person learns of it."""
    for read in reads:
        if read.refusal is None:
            return f"250 2.0.0 accepted as {read.envelope.id}"
    why = reads[0].refusal.sentence if reads and reads[0].refusal else "no recipient"
    return f"554 5.6.0 {why}".encode("ascii", "replace").decode()
