"""How another system is told of a lead: what is posted, who can prove it, what an answer means."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx2
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.intake.core.source import Sender, Stranger, admit
from services.notifications.core.delivery import Accepted, NotTaken, Refused, Unclear, deliver
from services.notifications.core.message import Content, State
from services.notifications.core.request import UnknownTemplate, handle
from services.notifications.providers.provider import Letter
from services.notifications.providers.webhook import Way, Webhooks, headers
from services.notifications.providers.webhook_sandbox import page
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import HandoffRequested
from shared.domain.rulebook.source import Source
from tests.unit.message_house import BOOK, DIRECTORY, LEAD, at, event

ID = "7c0b9a52-4f0e-5f5a-9a27-6d1c1f3b7e10"
NOW = datetime.now(UTC)
BODY = '{"type":"lead.handed_off"}'


def book_source() -> Source:
    return Source(
        id="other",
        label="…",
        format="form",
        doors=("http",),
        site="minsk",
        mapping={"phone": "phone"},
        secrets=("env:OTHER",),
    )


def letter(target: str = "factory", at: datetime = NOW) -> Letter:
    return Letter(ID, Content(target, BODY, sender="Ромашка"), at)


def provider(answer: httpx2.Response | Exception, seen: list[httpx2.Request]) -> Webhooks:
    def handle_request(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    way = Way("https://f.example/in", "s3cret")
    webhooks = Webhooks(lambda _, name: way if name == "factory" else None, timeout_s=1)
    webhooks._client = httpx2.AsyncClient(transport=httpx2.MockTransport(handle_request))
    return webhooks


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "plain words"])
def test_the_receiver_can_prove_that_a_hand_off_is_ours_and_unchanged(secret: str) -> None:
    # The library asks the machine's clock, and allows five minutes: signed here, not at import.
    signed = headers(letter(at=datetime.now(UTC)), Way("https://f.example", secret))
    key = secret if secret.startswith("whsec_") else "cGxhaW4gd29yZHM="

    assert Webhook(key).verify(BODY, signed) == {"type": "lead.handed_off"}
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(BODY.replace("off", "on"), signed)


def test_another_relance_would_let_our_hand_off_in_at_its_door() -> None:
    signed = headers(letter(), Way("https://f.example", "plain words"))

    source = book_source()
    assert isinstance(admit(source, ["plain words"], signed, BODY.encode(), now=NOW), Sender)
    assert isinstance(admit(source, ["other words"], signed, BODY.encode(), now=NOW), Stranger)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (httpx2.Response(200), Accepted(ID)),
        (httpx2.Response(204), Accepted(ID)),
        (httpx2.Response(422, text="no such product"), Refused),
        (httpx2.Response(410), Refused),
        (httpx2.Response(401), NotTaken),
        (httpx2.Response(429), NotTaken),
        (httpx2.Response(500), NotTaken),
        (httpx2.ConnectError("refused"), NotTaken),
        (httpx2.ReadTimeout("no answer"), Unclear),
    ],
)
async def test_whatever_is_not_acknowledged_is_sent_again_under_the_same_id(
    answer: httpx2.Response | Exception, result: object
) -> None:
    seen: list[httpx2.Request] = []
    told = await provider(answer, seen).send(letter())

    assert told == result if isinstance(result, Accepted) else isinstance(told, result)  # type: ignore[arg-type]
    assert seen[0].headers["webhook-id"] == ID
    assert seen[0].content == BODY.encode()


async def test_a_target_that_is_declared_no_more_waits_for_somebody_to_declare_it() -> None:
    seen: list[httpx2.Request] = []

    assert isinstance(await provider(httpx2.Response(200), seen).send(letter("gone")), NotTaken)
    assert not seen


def test_a_hand_off_is_posted_once_however_often_it_is_asked_for() -> None:
    now = at("2026-03-07T23:00")  # a Saturday night: systems have no hours
    asked = HandoffRequested(
        target="factory", occasion="cause:1", site="minsk", values={"lead": {"number": "7KQ2T9"}}
    )
    state: State = {}
    for _ in range(2):
        state, _told = handle(state, event(asked, now), BOOK, DIRECTORY)
    state, told = deliver(state, now, BOOK, DIRECTORY)

    (sent,) = [event.data for event in told if isinstance(event.data, NotificationSent)]
    body = json.loads(sent.text)
    assert (sent.channel, sent.to, sent.lead) == ("webhook", "factory", LEAD)
    assert (body["type"], body["data"]["lead"]) == ("lead.handed_off", {"number": "7KQ2T9"})


def test_a_hand_off_to_a_target_nobody_declared_waits() -> None:
    asked = HandoffRequested(target="nowhere", occasion="1", site="minsk")

    with pytest.raises(UnknownTemplate, match="has no target 'nowhere'"):
        handle({}, event(asked, NOW), BOOK, DIRECTORY)


def test_the_sandbox_shows_what_another_system_would_have_been_told_and_runs_none_of_it() -> None:
    shown = page(
        [
            {
                "target": "factory",
                "at": NOW.isoformat(),
                "times": 2,
                "body": {"data": {"name": "<script>alert(1)</script>"}},
            }
        ]
    )

    assert "factory" in shown
    assert "2 times" in shown
    assert "<script>" not in shown
