"""How an input is read and dated before it is written."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.core.arrival import Arrival, Refusal, Typed
from services.intake.formats.mail_process import MailReaders
from services.intake.formats.payload import Payload
from services.intake.reception import Reception
from shared.domain.directory import Directory
from shared.runtime import clock
from shared.runtime.activity import Activity
from shared.runtime.producer import ConfirmedProducer
from shared.runtime.settings import Settings
from tests.unit.test_intake_normal_form import MAIL

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Hands:
    """A clock that moves when it is told to."""

    stepping = True

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant


class SlowReaders(MailReaders):
    """Takes three seconds for a mail, and cannot read one without a sender."""

    def __init__(self, hands: Hands) -> None:
        super().__init__()
        self.hands = hands

    async def read(self, payload: Payload) -> Arrival:
        self.hands.instant += timedelta(seconds=3)
        if not payload.mail_from:
            raise Refusal("the mail names no sender")
        return Arrival(emails=(Typed(field="From", text=payload.mail_from),))


class EmptyDirectory:
    directory = Directory()


@pytest.mark.parametrize("sender", ["ivan@example.com", ""])
async def test_a_mail_that_takes_seconds_to_read_is_not_dated_before_that(
    monkeypatch: pytest.MonkeyPatch, sender: str
) -> None:
    hands = Hands()
    monkeypatch.setattr(clock, "_clock", hands)
    doors = ConfirmedProducer(Settings(), Activity())
    reception = Reception("t", b"key", doors, EmptyDirectory(), SlowReaders(hands))
    read = await reception.read(MAIL, Payload("smtp", "message/rfc822", b"", mail_from=sender))
    assert read.envelope.time == NOON + timedelta(seconds=3)
    assert (read.refusal is None) == bool(sender)
