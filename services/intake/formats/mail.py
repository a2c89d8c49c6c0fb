"""An e-mail, however broken: who writes, in which thread, what; or why it is no lead.

Called in a process of its own (`mail_process`), because MIME can be made to eat time and memory.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import Message

from services.intake.core.arrival import Arrival, Refusal, Typed
from services.intake.formats import calendar_answer
from services.intake.formats.html_text import text_of_html
from services.intake.formats.mail_header import address_in, date_of, header, ids_in, printable
from services.intake.formats.payload import Payload
from shared.contract.intake import CalendarAnswer, MailFacts

HEADER_BYTES_MOST = 64 * 1024
PARTS_MOST = 200
DEPTH_MOST = 20
REFERENCES_MOST = 20

_HEADERS_END = re.compile(rb"\r?\n\r?\n|\r\r")
_BOUNDARY = re.compile(rb"""boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))""", re.I)
_FROM_A_MACHINE = re.compile(r"^(mailer-daemon|postmaster)@", re.I)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})


def read(payload: Payload) -> Arrival:
    """Never raises anything but `Refusal`, whatever the bytes."""
    _refuse_the_oversized(payload.body)
    try:
        message = email.message_from_bytes(payload.body, policy=email.policy.default)
        return _read(message, payload)
    except Refusal:
        raise
    except Exception as error:  # hostile mail finds new ways into the parser's bugs
        raise Refusal(f"the mail cannot be read ({type(error).__name__})") from None


def _read(message: Message, payload: Payload) -> Arrival:
    parts = list(_parts(message))
    message_id = next(iter(ids_in(header(message, "Message-ID"))), None)
    provider_id = message_id or payload.provider_id
    name, address = _sender(message, payload)
    senders = (Typed(field="From", text=address),) if address else ()
    answer = _answer(parts)
    if answer is not None:
        return Arrival(provider_id=provider_id, emails=senders, answer=answer, text=_text(parts))
    for applies, why in _no_lead(message, address, payload):
        if applies:
            return Arrival(provider_id=provider_id, ignored=why)
    if address is None:
        raise Refusal("the mail names no sender: neither From nor Reply-To holds an address")
    return Arrival(
        provider_id=provider_id,
        emails=senders,
        name=name,
        subject=header(message, "Subject"),
        text=_text(parts),
        language=header(message, "Content-Language"),
        occurred_at=date_of(message),
        mail=MailFacts(
            message_id=message_id,
            in_reply_to=next(iter(ids_in(header(message, "In-Reply-To"))), None),
            references=tuple(ids_in(header(message, "References"))[-REFERENCES_MOST:]),
            mailbox=payload.mailbox,
        ),
    )


def _refuse_the_oversized(body: bytes) -> None:
    """Counted on the bytes, before any parser sees them."""
    end = _HEADERS_END.search(body, 0, HEADER_BYTES_MOST + 4)
    if end is None and len(body) > HEADER_BYTES_MOST:
        raise Refusal(f"the headers are longer than {HEADER_BYTES_MOST // 1024} KB")
    boundaries = {quoted or bare for quoted, bare in _BOUNDARY.findall(body)}
    # Each part is opened by a boundary line, and one more closes the last.
    parts = sum(body.count(b"\n--" + boundary) - 1 for boundary in boundaries)
    if max(parts, len(boundaries)) > PARTS_MOST:
        raise Refusal(f"the mail has more than {PARTS_MOST} parts")


def _parts(message: Message, depth: int = 0) -> Iterator[Message]:
    """Every part that is no container, in reading order. Raises `Refusal` past the limit."""
    if depth > DEPTH_MOST:
        raise Refusal(f"the parts of the mail are nested deeper than {DEPTH_MOST}")
    payload = message.get_payload()
    if not (message.is_multipart() and isinstance(payload, list)):
        yield message
        return
    for part in payload:
        if isinstance(part, Message):
            yield from _parts(part, depth + 1)


def _sender(message: Message, payload: Payload) -> tuple[str | None, str | None]:
    """The name and the address to answer to.

    Reply-To before From: a portal writes in its own name and puts the person there, and its own
    address would make one contact of all its leads. The envelope's sender is the last resort.
    """
    name = None
    for said in (header(message, "Reply-To"), header(message, "From"), payload.mail_from):
        shown, address = address_in(said)
        name = name or shown
        if address is not None:
            return name, address
    return name, None


def _no_lead(message: Message, address: str | None, payload: Payload) -> Iterator[tuple[bool, str]]:
    """Each reason why nobody got in touch here, and whether it applies."""
    sender = (address or "").lower()
    report = message.get_content_type() == "multipart/report"
    by_machine = bool(_FROM_A_MACHINE.match(sender))
    yield report or by_machine, "a bounce: a mail server reports on a delivery"
    automatic = (header(message, "Auto-Submitted") or "no").partition(";")[0].strip().lower()
    marked = header(message, "X-Autoreply") or header(message, "X-Autorespond")
    yield automatic != "no" or bool(marked), "an automatic reply"
    precedence = (header(message, "Precedence") or "").strip().lower()
    yield precedence in _BULK, f"bulk mail (Precedence: {precedence})"
    yield bool(header(message, "List-Id")), "a mailing list"
    yield payload.mail_from == "", "an empty return address: a bounce or an automatic reply"
    yield bool(sender) and sender == payload.mailbox, "the mailbox wrote to itself"


def _text(parts: list[Message]) -> str | None:
    """The first plain text; else the first HTML as text. Attachments are no text."""
    shown = [part for part in parts if part.get_content_disposition() != "attachment"]
    for wanted in ("text/plain", "text/html"):
        for part in shown:
            if part.get_content_type() == wanted:
                text = _decoded(part)
                text = text_of_html(text) if wanted == "text/html" else text
                if text.strip():
                    return text
    return None


def _answer(parts: list[Message]) -> CalendarAnswer | None:
    """What a calendar in the mail answers to an invitation of ours."""
    calendars = (p for p in parts if p.get_content_type() in ("text/calendar", "application/ics"))
    answers = (calendar_answer.read(_decoded(part)) for part in calendars)
    return next((answer for answer in answers if answer is not None), None)


def _decoded(part: Message) -> str:
    """The part's text; a charset that does not exist, or is not kept to, costs letters only."""
    payload = part.get_payload(decode=True)
    body = payload if isinstance(payload, bytes) else b""
    try:
        return printable(body.decode(part.get_content_charset() or "utf-8", "replace"))
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")
