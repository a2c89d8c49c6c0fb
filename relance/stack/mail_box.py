"""The mail that was caught: one .eml file a message, readable whatever is in it."""

import email
import email.policy
import json
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Mail:
    """One message as the SMTP server received it.

    `sender` and `recipients` are the envelope's; what the message itself claims is in `headers`
    (repeated ones joined by line ends).
    """

    id: str
    sender: str
    recipients: tuple[str, ...]
    received_at: str
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what `GET /api/messages` says about it."""
        data = asdict(self)
        return {"from": data.pop("sender"), "to": list(data.pop("recipients")), **data}


class MailBox:
    """A folder of messages; what is in it at the start is there again."""

    def __init__(self, folder: Path) -> None:
        """Open the folder, creating it if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._mails = {mail.id: mail for mail in map(_read, sorted(folder.glob("*.eml")))}

    def newest_first(self) -> list[Mail]:
        """Return all messages."""
        return list(reversed(self._mails.values()))

    def get(self, mail_id: str) -> Mail | None:
        """Return one message, or None."""
        return self._mails.get(mail_id)

    def raw(self, mail_id: str) -> bytes:
        """Return the bytes of a message that is in the box."""
        return (self._folder / f"{mail_id}.eml").read_bytes()

    def add(self, sender: str, recipients: list[str], content: bytes) -> Mail:
        """Keep a message; it is in the folder, whole, when this returns."""
        now = time.time_ns()
        file = self._folder / f"{now:020d}.eml"
        envelope = {
            "sender": sender,
            "recipients": recipients,
            "received_at": datetime.fromtimestamp(now / 1e9, UTC).isoformat(),
        }
        file.with_suffix(".json").write_text(json.dumps(envelope))
        half = file.with_suffix(".new")
        half.write_bytes(content)
        half.replace(file)
        mail = self._mails[file.stem] = _read(file)
        return mail

    def clear(self) -> None:
        """Throw all messages away."""
        for mail_id in self._mails:
            for suffix in (".eml", ".json"):
                (self._folder / f"{mail_id}{suffix}").unlink(missing_ok=True)
        self._mails = {}


def _read(file: Path) -> Mail:
    try:
        envelope = json.loads(file.with_suffix(".json").read_text())
    except (OSError, ValueError):  # somebody put an .eml here by hand
        envelope = {"sender": "", "recipients": [], "received_at": ""}
    headers, text, html = read_message(file.read_bytes())
    subject = next((value for name, value in headers.items() if name.lower() == "subject"), "")
    return Mail(
        id=file.stem,
        sender=_clean(envelope["sender"]),
        recipients=tuple(map(_clean, envelope["recipients"])),
        received_at=envelope["received_at"],
        subject=subject,
        text=text,
        html=html,
        headers=headers,
    )


def read_message(content: bytes) -> tuple[dict[str, str], str, str]:
    """Return headers, text and HTML of any bytes that claim to be a message.

    Never raises: a part that cannot be understood is given as it came.
    """
    try:
        message = email.message_from_bytes(content, policy=email.policy.default)
        return _headers(message), _body(message, "plain"), _body(message, "html")
    except Exception:  # the standard parser raises a dozen kinds of error on hostile mail
        head, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
        pairs = [line.partition(":") for line in _decode(head).splitlines() if ":" in line]
        return {name.strip(): value.strip() for name, _, value in pairs}, _decode(body), ""


def _headers(message: Message) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in message.items():
        known = headers.get(name)
        headers[_clean(name)] = _clean(str(value) if known is None else f"{known}\n{value}")
    return headers


def _body(message: Message, kind: str) -> str:
    part = message.get_body((kind,)) if isinstance(message, EmailMessage) else None
    if part is None:
        return ""
    try:
        return _clean(str(part.get_content()))
    except (LookupError, ValueError):  # a charset nobody knows
        payload = part.get_payload(decode=True)
        return _decode(payload if isinstance(payload, bytes) else b"")


def _decode(content: bytes) -> str:
    return content.decode(errors="replace")


def _clean(text: str) -> str:
    """Return the text without lone surrogates, which no page and no JSON can carry."""
    return text.encode(errors="replace").decode()
