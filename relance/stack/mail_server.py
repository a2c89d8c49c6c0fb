"""The mail catcher itself: a real SMTP server and its page, in one process."""

import asyncio
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session

from relance.stack.mail_behaviour import Behaviour
from relance.stack.mail_box import MailBox
from relance.stack.mail_page import MailPages
from relance.stack.port import LOOPBACK

LARGEST_MAIL_BYTES = 32 * 1024 * 1024


class Catcher:
    """Accepts any mail for anybody, unless told to misbehave. (The names are aiosmtpd's.)"""

    def __init__(self, box: MailBox, behaviour: Behaviour) -> None:
        """Put what comes into `box`."""
        self._box = box
        self._behaviour = behaviour

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Answer to one recipient."""
        fault = self._behaviour.next("recipient")
        await asyncio.sleep(fault.delay_s)
        if fault.reply:
            return fault.reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Answer to a whole message."""
        fault = self._behaviour.next("data")
        await asyncio.sleep(fault.delay_s)
        if fault.reply:
            return fault.reply
        if fault.keep:
            content = envelope.content or b""
            raw = content if isinstance(content, bytes) else content.encode(errors="replace")
            self._box.add(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        if fault.drop and server.transport:
            server.transport.close()
        return "250 OK, caught"


async def serve(smtp_port: int, http_port: int, folder: Path, host: str = LOOPBACK) -> None:
    """Run both servers until SIGTERM or SIGINT."""
    box, behaviour = MailBox(folder), Behaviour()
    catcher = Catcher(box, behaviour)
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(
            catcher,
            hostname="relance.local",
            data_size_limit=LARGEST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    smtp = await loop.create_server(session, host, smtp_port)
    pages = uvicorn.Server(
        uvicorn.Config(
            MailPages(box, behaviour).application(),
            host=host,
            port=http_port,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    async with smtp:
        await pages.serve()
