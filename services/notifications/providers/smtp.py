"""E-mail by SMTP: connections kept and used again, every outcome told apart."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from time import monotonic
from typing import Literal

import aiosmtplib

from services.notifications.core.delivery import Accepted, NotTaken, Refused, Result, Unclear
from services.notifications.core.message import FILE
from services.notifications.providers.mail_headers import COMPOSED, MAIL
from services.notifications.providers.provider import CannotBeAsked, Letter
from shared.contract.notifications import MessageChannel

_ASKED_AFTER_S = 1.0
_AWAY = (aiosmtplib.SMTPException, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes and how: see the settings of the same names.

    `timeout_s` holds for each of three stages: connecting, announcing, handing over.
    """

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    ca: str | None
    user: str | None
    password: str | None
    timeout_s: float

    def client(self) -> aiosmtplib.SMTP:
        """A connection, not yet made."""
        context = ssl.create_default_context(cafile=self.ca) if self.tls != "none" else None
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.tls == "tls",
            start_tls=self.tls == "starttls",
            tls_context=context,
            username=self.user,
            password=self.password,
            timeout=self.timeout_s,
        )


class Smtp:
    """The way out for e-mail."""

    channel: MessageChannel = "email"

    def __init__(
        self, server: MailServer, sender: str, at_once: int, files: Path | None = None
    ) -> None:
        """`sender` is the address in From and on the envelope; what is attached lies in `files`."""
        self.at_once = at_once
        self._server = server
        self._sender = sender
        self._files = files
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []
        """With the instant (monotonic) at which each was last used."""

    async def send(self, letter: Letter) -> Result:
        """Hand over in one SMTP transaction; one recipient, so one answer."""
        try:
            attached = {name: self._read(letter, name) for name in letter.attach}
            mail = compose(letter, self._sender, attached).as_bytes(policy=MAIL)
        except (ValueError, IndexError, LookupError, OSError) as error:
            return Refused(f"no mail can be made of it: {error}")
        try:
            async with asyncio.timeout(self._server.timeout_s):
                client = await self._connected()
        except _AWAY as error:
            return NotTaken(f"the mail server cannot be used ({_sentence(error)})")
        return await self._transaction(client, letter.content.address, mail)

    async def ask(self, id_: str) -> Accepted | NotTaken | Unclear:
        """SMTP cannot tell."""
        raise CannotBeAsked(id_)

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            client, _ = self._idle.pop()
            try:
                await asyncio.wait_for(client.quit(), 2)
            except _AWAY:
                client.close()

    def _read(self, letter: Letter, name: str) -> bytes:
        """A file of the rulebook; raises OSError or LookupError where it is not there."""
        if letter.attachments is not None:
            return base64.b64decode(letter.attachments[name])
        if self._files is None:
            raise FileNotFoundError(f"there is no folder to take {name} from")
        return (self._files / name).read_bytes()

    async def _transaction(self, client: aiosmtplib.SMTP, address: str, mail: bytes) -> Result:
        try:
            refused = await self._announce(client, address)
            result = refused or await self._hand_over(client, mail)
        except BaseException:
            client.close()
            raise
        if isinstance(result, Accepted):
            self._idle.append((client, monotonic()))
        elif client.is_connected:
            await self._start_over(client)
        return result

    async def _announce(self, client: aiosmtplib.SMTP, address: str) -> Result | None:
        """Everything before the mail itself; None when the server wants it."""
        try:
            async with asyncio.timeout(self._server.timeout_s):
                await client.mail(self._sender)
                await client.rcpt(address)
        except aiosmtplib.SMTPResponseException as error:
            return _refusal(error)
        except _AWAY as error:
            client.close()
            return NotTaken(f"the mail server went away before the mail ({_sentence(error)})")
        return None

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: bytes) -> Result:
        """The mail itself; without an answer nobody knows whether it was taken."""
        try:
            async with asyncio.timeout(self._server.timeout_s):
                answer = await client.data(mail)
        except aiosmtplib.SMTPResponseException as error:
            return _refusal(error)
        except _AWAY as error:
            client.close()
            return Unclear(f"the mail server did not answer after the mail ({_sentence(error)})")
        return Accepted(answer.message[:200])

    async def _start_over(self, client: aiosmtplib.SMTP) -> None:
        """Keep the connection if the server forgets the refused transaction."""
        try:
            await client.rset()
        except _AWAY:
            client.close()
        else:
            self._idle.append((client, monotonic()))

    async def _connected(self) -> aiosmtplib.SMTP:
        """An idle connection that still answers, or a new one.

        One that answered just now is not asked: if it has gone since, the mail was not taken.
        """
        while self._idle:
            client, used_at = self._idle.pop()
            try:
                if monotonic() - used_at > _ASKED_AFTER_S:
                    await client.noop()
            except _AWAY:
                client.close()
            else:
                return client
        client = self._server.client()
        await client.connect()
        return client


def compose(
    letter: Letter, sender: str, attached: Mapping[str, bytes] | None = None
) -> EmailMessage:
    """The mail of a letter: text with HTML beside it, under a Message-ID that stays the same, and
    its invitation and the files `attached`.

    Raises `ValueError` for an address or subject that would break a header.
    """
    content = letter.content
    mail = EmailMessage(policy=COMPOSED)
    user, _, domain = sender.partition("@")
    mail["From"] = Address(content.sender, user, domain)
    mail["To"] = Address(addr_spec=content.address)
    mail["Subject"] = content.subject or ""
    mail["Date"] = letter.at
    mail["Message-ID"] = f"<{letter.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text, cte="quoted-printable")
    if content.html is not None:
        mail.add_alternative(content.html, subtype="html", cte="quoted-printable")
    if content.calendar is not None:  # beside the text for calendars that look there, and as a file
        mail.add_alternative(
            content.calendar,
            subtype="calendar",
            cte="base64",
            params={"method": content.method or "REQUEST"},
        )
        ics = content.calendar.encode()
        mail.add_attachment(ics, maintype="application", subtype="ics", filename=FILE)
    for name, data in (attached or {}).items():
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        maintype, _, subtype = kind.partition("/")
        mail.add_attachment(data, maintype=maintype, subtype=subtype, filename=name)
    return mail


def _refusal(error: aiosmtplib.SMTPResponseException) -> Result:
    """4xx: later, perhaps. 5xx: never."""
    why = f"the mail server answers {error.code} {error.message}"
    return NotTaken(why) if 400 <= error.code < 500 else Refused(why)


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
