"""Events of the toys: notes, which need no company to be understood."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from shared.contract.envelope import Envelope, derived_id
from shared.contract.pipeline import NoteAdded

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def note(
    subject: str,
    text: str = "hello",
    *,
    source: str = "/elsewhere",
    sequence: int | None = None,
    id_: str | None = None,
    time: datetime = START,
) -> Envelope:
    """A note on `subject`; its id follows from who, what and which."""
    if id_ is None:
        known = sequence is not None
        id_ = derived_id(source, subject, str(sequence)) if known else str(uuid.uuid4())
    return Envelope(
        id=id_,
        source=source,
        type=NoteAdded.type,
        subject=subject,
        time=time,
        tenant="toy",
        sequence=sequence,
        data=NoteAdded(text=text),
    )
