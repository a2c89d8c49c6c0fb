"""What the outside sends in a scenario, in the bytes in which it would really arrive.

The simulated world reads these bytes with intake's own formats; the real stack gets the same
bytes at its doors.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Literal
from urllib.parse import urlencode

from icalendar import Calendar, Event, vCalAddress, vText

from relance.simulation.step import Call, FileRow, Receive, Reply
from services.intake.core.arrival import Arrival
from services.intake.formats import call as call_format
from services.intake.formats import csv_rows
from services.intake.formats import form as form_format
from services.intake.formats import mail as mail_format
from services.intake.formats import sms as sms_format
from services.intake.formats.payload import Payload
from shared.contract.intake import Channel
from shared.contract.invitation import Invitation
from shared.domain.rulebook.source import CHANNELS, Source, Sources

FORMATS = {channel: format_ for format_, channel in CHANNELS.items()}
WORDLESS = "…"
"""What somebody writes of whom a step does not say what: no word of any language, so that it means
the same in every rulebook."""


class NoSuchSource(ValueError):
    """A step names a source that `sources.toml` does not have, or not for that channel."""


@dataclass(frozen=True, slots=True)
class Input:
    """What comes from outside for one source; exactly one of `call`, `sms`, `form`, `mail`, `file`
    (CSV) is there.

    `id` is the sender's own id of it.
    """

    source: Source
    id: str
    call: Mapping[str, object] | None = None
    sms: Mapping[str, object] | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    mail: EmailMessage | None = None
    file: str | None = None

    def payload(self) -> Payload:
        """The bytes at the source's first door, as that door hands them over."""
        door = self.source.doors[0]
        if self.call is not None:
            body = json.dumps(self.call).encode()
            return Payload(door, "application/json", body, provider_id=self.id)
        if self.sms is not None:
            return Payload(door, "application/json", json.dumps(self.sms).encode())
        if self.mail is not None:
            return Payload(
                door,
                "message/rfc822",
                bytes(self.mail),
                mail_from=str(self.mail["From"].addresses[0].addr_spec),
                mailbox=self.source.mailbox,
            )
        if self.file is not None:
            return Payload(door, "text/csv", self.file.encode())
        body = urlencode(self.form).encode()
        return Payload(door, "application/x-www-form-urlencoded", body)

    def arrival(self) -> Arrival:
        """The input as intake's format reads it; of a file the first row. Raises `Refusal`."""
        payload = self.payload()
        if self.source.format == "call":
            return call_format.read(payload)
        if self.source.format == "sms":
            return sms_format.read(payload)
        if self.source.format == "mail":
            return mail_format.read(payload)
        if self.source.format == "csv":
            return self.rows()[0].arrival
        return form_format.read(self.source, payload)

    def rows(self) -> list[csv_rows.Row]:
        """A file as intake's format reads it. Raises intake's `Refusal`."""
        return csv_rows.read(self.source, self.payload())


def source_of(sources: Sources, step: Receive | Reply | Call) -> Source:
    """The source a step names, or the first of its channel. Raises `NoSuchSource`."""
    channel: Channel | Literal["file"] = "call"
    if not isinstance(step, Call):
        channel = step.receive if isinstance(step, Receive) else "email"
    format_ = "csv" if channel == "file" else FORMATS[channel]
    fitting = [each for each in sources.source if each.format == format_]
    wanted = None if isinstance(step, Reply) else step.source
    found = next((each for each in fitting if wanted in (None, each.id)), None)
    if found is None:
        known = ", ".join(each.id for each in fitting) or "none"
        raise NoSuchSource(f"no source {wanted or ''} takes a {channel}; there is {known}")
    return found


def received(step: Receive, source: Source, id_: str, at: datetime) -> Input:
    """The input of a `receive` step, sent at `at`; `id_` is its id unless the step has one."""
    id_ = step.id or id_
    if source.format == "call":
        return Input(source, id_, call=_call(step, id_, at))
    if source.format == "sms":
        sms = {"message_id": id_, "from": step.phone, "text": step.text or WORDLESS}
        return Input(source, id_, sms={**sms, "received_at": at.isoformat()})
    if source.format == "form":
        return Input(source, id_, form=_form(step, source, None if step.anonymous else id_))
    if source.format == "csv":
        return Input(source, id_, file=_file(step.file_rows, source))
    message = _mail(step.email or "", step.name, source, id_, at)
    message["Subject"] = step.subject or WORDLESS
    if step.in_reply_to:
        message["In-Reply-To"] = step.in_reply_to
    if step.auto:
        message["Auto-Submitted"] = "auto-replied"
    message.set_content(step.text or WORDLESS)
    return Input(source, id_, mail=message)


def replied(
    step: Reply, source: Source, id_: str, at: datetime, *, sender: str, thread: str | None
) -> Input:
    """The mail by which a contact answers; `thread` is the mail id it answers to, if known."""
    message = _mail(sender, None, source, id_, at)
    message["Subject"] = step.subject or "Re:"
    if thread:  # our own mails are known by what stands before the @
        ours = f"<{thread}@{(source.mailbox or '').partition('@')[2]}>"
        message["In-Reply-To"] = thread if thread.startswith("<") else ours
    message.set_content(step.text)
    return Input(source, id_, mail=message)


def told(step: Call, source: Source, id_: str, at: datetime, phone: str | None) -> Input:
    """What the phone system says of a call that goes on, or of one of ours that is over."""
    direction = step.direction or ("inbound" if step.call == "started" else "outbound")
    status: str = step.outcome
    if step.call == "started":
        status = "in_progress" if step.agent else "ringing"
    said: dict[str, object | None] = {
        "call_id": id_,
        "direction": direction,
        "from" if direction == "inbound" else "to": phone,
        "status": status,
        "agent": step.agent,
        "duration_s": step.duration_s,
        "recording_url": step.recording_url,
        "started_at": at.isoformat(),
    }
    return Input(source, id_, call={key: value for key, value in said.items() if value is not None})


def answered(
    step: Reply, source: Source, id_: str, at: datetime, *, invitation: Invitation, sender: str
) -> Input:
    """The mail by which a contact's calendar answers an invitation."""
    message = _mail(sender, None, source, id_, at)
    message["Subject"] = f"{step.reply.title()}: {step.subject or 'appointment'}"
    message.set_content(step.text)
    meeting = Event()
    meeting.add("uid", invitation.appointment)
    meeting.add("sequence", invitation.revision)
    meeting.add("dtstamp", at)
    meeting.add("dtstart", invitation.starts_at)
    attendee = vCalAddress(f"mailto:{sender}")
    attendee.params["PARTSTAT"] = vText(step.reply.upper())
    meeting.add("attendee", attendee, encode=False)
    calendar = Calendar()
    calendar.add("prodid", "-//Outside//Calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "REPLY")
    calendar.add_component(meeting)
    message.add_alternative(
        calendar.to_ical().decode(), subtype="calendar", params={"method": "REPLY"}
    )
    return Input(source, id_, mail=message)


def _call(step: Receive, id_: str, at: datetime) -> dict[str, object]:
    said: dict[str, object | None] = {
        "call_id": id_,
        "direction": step.direction,
        "from": step.phone,
        "status": _status(step),
        "agent": step.answered_by,
        "duration_s": step.duration_s,
        "recording_url": step.recording_url,
        "started_at": at.isoformat(),
    }
    return {key: value for key, value in said.items() if value is not None}


def _status(step: Receive) -> str:
    """Whoever took the call has answered it, unless the step says otherwise."""
    answered = step.answered_by is not None and "outcome" not in step.model_fields_set
    return "answered" if answered else step.outcome


def _form(step: Receive, source: Source, id_: str | None) -> dict[str, str]:
    """The form as the page of the source sends it: its own names of the fields."""
    named = {word: name for name, word in source.mapping.items()}
    said = {
        "id": id_,
        "name": step.name,
        "phone": step.phone,
        "email": step.email,
        "company": step.company,
        "subject": step.subject,
        "text": step.text,
        "language": step.language,
        **step.fields,
    }
    return {named.get(word, word): value for word, value in said.items() if value}


def _file(rows: Sequence[FileRow], source: Source) -> str:
    """The rows as a spreadsheet saves them: every column of the mapping, in its order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(source.mapping)
    for row in rows:
        said = row.model_dump() | row.fields
        writer.writerow([said.get(word) or "" for word in source.mapping.values()])
    return text.getvalue()


def _mail(sender: str, name: str | None, source: Source, id_: str, at: datetime) -> EmailMessage:
    message = EmailMessage()
    user, _, domain = sender.partition("@")
    message["From"] = Address(name or "", user, domain)
    message["To"] = source.mailbox or ""
    message["Date"] = at
    message["Message-ID"] = f"<{id_}@outside.example>"
    return message
