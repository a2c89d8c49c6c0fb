"""What becomes of a request to tell somebody: by which channels, when, once, or why not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydantic import JsonValue

from services.notifications.core.delivery import (
    Accepted,
    NotTaken,
    Refused,
    Unclear,
    deliver,
    next_instant,
    release,
    settle,
)
from services.notifications.core.message import Message, State
from services.notifications.core.request import UnknownTemplate, handle
from shared.contract.envelope import Envelope
from shared.contract.notifications import (
    NotificationDeferred,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
    NotificationUnknown,
)
from shared.domain.directory import Unknown
from tests.unit.message_house import (
    BOOK,
    DIRECTORY,
    LEAD,
    agent_is_told,
    at,
    book,
    event,
    to_agent,
    to_contact,
    withdrawal,
)

OPEN = at("2026-03-02T10:00")
NIGHT = at("2026-03-02T20:00")
MORNING = at("2026-03-03T09:00")


def take(*envelopes: Envelope, state: State | None = None) -> tuple[State, list[Envelope]]:
    """The state after these events, nothing sent yet."""
    now: State = state or {}
    told: list[Envelope] = []
    for envelope in envelopes:
        now, news = handle(now, envelope, BOOK, DIRECTORY)
        told += news
    return now, told


def only(state: State) -> Message:
    (message,) = state.values()
    return message


def in_hand(envelope: Envelope) -> Message:
    """The one message of a request, being handed over."""
    state, _ = take(envelope)
    message, told = release(only(state), envelope.time, BOOK, DIRECTORY)
    assert (message.status, told) == ("sending", [])
    return message


def data_of(told: list[Envelope]) -> list[object]:
    return [type(envelope.data) for envelope in told]


# -- by which channels ---------------------------------------------------------------------------


def test_an_agent_is_told_by_every_channel_they_chose_and_the_template_has() -> None:
    state, _ = take(to_agent("anna", when=OPEN))
    assert [message.channel for message in state.values()] == ["sms", "email"]


def test_an_agent_who_wants_only_mail_gets_no_sms() -> None:
    state, _ = take(to_agent("mail-only", when=OPEN))
    assert [message.channel for message in state.values()] == ["email"]


def test_a_contact_with_one_e_mail_gets_only_the_e_mail() -> None:
    state, _ = take(to_contact(("email", "ivan@x.example"), when=OPEN))
    assert [message.channel for message in state.values()] == ["email"]


def test_a_contact_is_told_at_the_first_point_of_each_kind() -> None:
    points = (("phone", "+375291234567"), ("phone", "+375297777777"), ("email", "i@x.example"))
    state, _ = take(to_contact(*points, when=OPEN))
    _, told = deliver(state, OPEN, BOOK, DIRECTORY)
    sent = [e.data for e in told if isinstance(e.data, NotificationSent)]
    assert [(s.channel, s.address) for s in sent] == [
        ("sms", "+375291234567"),
        ("email", "i@x.example"),
    ]


@pytest.mark.parametrize("agent", ["sms-only-without-mobile", "gone"])
def test_who_has_no_address_or_has_left_is_not_told_and_that_is_said(agent: str) -> None:
    state, _ = take(to_agent(agent, when=OPEN))
    state, told = deliver(state, OPEN, BOOK, DIRECTORY)
    assert {m.status for m in state.values()} == {"suppressed"}
    (envelope,) = told
    assert isinstance(envelope.data, NotificationSuppressed)
    assert envelope.data.why == "no_address"


def test_the_same_occasion_is_told_once_however_often_it_is_asked_for() -> None:
    again = to_agent(when=OPEN + timedelta(minutes=5))
    state, _ = take(to_agent(when=OPEN))
    state, first = deliver(state, OPEN, BOOK, DIRECTORY)
    state, _ = take(again, state=state)
    _, second = deliver(state, again.time, BOOK, DIRECTORY)
    assert data_of(first) == [NotificationSent, NotificationSent]
    assert second == []


def test_another_occasion_is_another_message() -> None:
    state, _ = take(to_agent("mail-only", when=OPEN))
    state, _ = take(to_agent("mail-only", when=OPEN, occasion="two"), state=state)
    assert len(state) == 2


def test_a_template_the_rulebook_does_not_have_is_named() -> None:
    with pytest.raises(UnknownTemplate, match="no template 'farewell'"):
        take(to_agent(when=OPEN, template="farewell"))


def test_an_agent_not_in_the_directory_yet_is_waited_for() -> None:
    with pytest.raises(Unknown, match="'nobody'"):
        take(to_agent("nobody", when=OPEN))


# -- when ----------------------------------------------------------------------------------------


def test_003_05_an_alert_waits_until_the_agents_site_opens() -> None:
    state, _ = take(to_agent("mail-only", when=NIGHT))
    state, told = deliver(state, NIGHT, BOOK, DIRECTORY)
    (envelope,) = told
    assert isinstance(envelope.data, NotificationDeferred)
    assert (envelope.data.why, envelope.data.until) == ("closed", MORNING)
    assert envelope.data.because is not None
    assert envelope.data.because.rule == "003-05"
    assert next_instant(state.values()) == MORNING
    _, told = deliver(state, MORNING, BOOK, DIRECTORY)
    assert data_of(told) == [NotificationSent]
    assert told[0].time == MORNING


def test_nothing_goes_before_the_opening_and_the_holding_is_told_once() -> None:
    state, _ = take(to_agent("mail-only", when=NIGHT))
    state, _ = deliver(state, NIGHT, BOOK, DIRECTORY)
    _, early = deliver(state, MORNING - timedelta(seconds=1), BOOK, DIRECTORY)
    held = only(state)
    assert early == []
    assert release(held, NIGHT, BOOK, DIRECTORY) == (held, [])


def test_the_digest_goes_at_nine_on_an_open_day_though_the_doors_open_at_ten() -> None:
    state, _ = take(to_agent("late", when=at("2026-03-02T09:00"), template="digest"))
    _, told = deliver(state, at("2026-03-02T09:00"), BOOK, DIRECTORY)
    assert data_of(told) == [NotificationSent]


def test_a_digest_never_goes_on_a_closed_day() -> None:
    sunday = at("2026-03-08T09:00")
    state, _ = take(to_agent("late", when=sunday, template="digest"))
    state, told = deliver(state, sunday, BOOK, DIRECTORY)
    assert data_of(told) == [NotificationDeferred]
    assert next_instant(state.values()) == at("2026-03-09T10:00")


def test_a_site_that_never_opens_holds_its_alerts_and_looks_again_each_day() -> None:
    state, _ = take(to_agent("moon", when=NIGHT))
    state, told = deliver(state, NIGHT, BOOK, DIRECTORY)
    assert data_of(told) == [NotificationDeferred]
    assert next_instant(state.values()) == NIGHT + timedelta(days=1)


def test_001_22_a_contact_is_written_to_at_once_even_at_night() -> None:
    state, _ = take(to_contact(("phone", "+375291234567"), when=NIGHT))
    _, told = deliver(state, NIGHT, BOOK, DIRECTORY)
    assert data_of(told) == [NotificationSent]


# -- withdrawn -----------------------------------------------------------------------------------


def test_what_is_held_and_withdrawn_is_never_sent() -> None:
    state, _ = take(to_agent(when=NIGHT))
    state, _ = deliver(state, NIGHT, BOOK, DIRECTORY)
    state, told = take(withdrawal(when=NIGHT + timedelta(hours=1)), state=state)
    assert [e.data.why for e in told if isinstance(e.data, NotificationSuppressed)] == [
        "withdrawn",
        "withdrawn",
    ]
    assert deliver(state, MORNING, BOOK, DIRECTORY)[1] == []
    assert next_instant(state.values()) is None


def test_a_withdrawal_for_one_person_leaves_the_others_theirs() -> None:
    state, _ = take(to_agent("anna", when=NIGHT), to_agent("mail-only", when=NIGHT))
    state, told = take(withdrawal(when=NIGHT, to="anna"), state=state)
    assert len(told) == 2
    assert [m.asked.to.id for m in state.values() if m.status == "requested"] == ["mail-only"]


def test_a_withdrawal_of_one_template_leaves_the_others() -> None:
    state, _ = take(to_agent("mail-only", when=NIGHT))
    assert take(withdrawal(when=NIGHT, template="digest"), state=state)[1] == []


def test_what_was_sent_cannot_be_withdrawn() -> None:
    state, _ = take(to_agent("mail-only", when=OPEN))
    state, _ = deliver(state, OPEN, BOOK, DIRECTORY)
    after, told = take(withdrawal(when=OPEN), state=state)
    assert (told, only(after).status) == ([], "sent")


def test_a_message_withdrawn_while_in_hand_does_not_go_a_second_time() -> None:
    message = in_hand(to_agent("mail-only", when=OPEN))
    state, told = take(withdrawal(when=OPEN), state={message.id: message})
    assert told == []
    after, told = settle(only(state), NotTaken("busy"), OPEN, "at_least_once")
    assert (after.status, data_of(told)) == ("suppressed", [NotificationSuppressed])


# -- results -------------------------------------------------------------------------------------


def test_what_the_provider_took_is_told_with_the_words_the_person_reads() -> None:
    message = in_hand(to_agent("mail-only", when=OPEN))
    after, (told,) = settle(message, Accepted("queued as 17"), OPEN, "at_least_once")
    data = told.data
    assert isinstance(data, NotificationSent)
    assert (after.status, data.address, data.provider_id) == (
        "sent",
        "oleg@small.example",
        "queued as 17",
    )
    assert (data.subject, data.text) == ("Срочно: перезвоните", "Олег, перезвоните\n")
    assert (data.to, data.lead, told.subject) == ("mail-only", LEAD, LEAD)
    assert data.because is not None
    assert data.because.rule == "house-02"


def test_what_the_provider_refuses_has_failed() -> None:
    message = in_hand(to_agent("mail-only", when=OPEN))
    after, told = settle(message, Refused("no such user"), OPEN, "at_least_once")
    assert after.status == "failed"
    assert [e.data.why for e in told if isinstance(e.data, NotificationFailed)] == ["no such user"]


def test_what_the_provider_did_not_take_waits_and_nothing_is_told() -> None:
    message = in_hand(to_agent("mail-only", when=OPEN))
    after, told = settle(message, NotTaken("busy"), OPEN, "at_least_once", attempts_at_most=2)
    assert (after.status, after.attempts, told) == ("requested", 1, [])


def test_after_too_many_attempts_a_message_has_failed() -> None:
    message = in_hand(to_agent("mail-only", when=OPEN))
    after, told = settle(message, NotTaken("busy"), OPEN, "at_least_once", attempts_at_most=1)
    assert (after.status, data_of(told)) == ("failed", [NotificationFailed])


@pytest.mark.parametrize(
    ("policy", "status", "resolution"),
    [
        ("at_most_once", "unknown", "assumed_sent"),
        ("at_least_once", "requested", "sent_again"),
    ],
)
def test_where_nobody_can_say_the_policy_decides_and_it_is_named(
    policy: str, status: str, resolution: str
) -> None:
    message = in_hand(to_agent("mail-only", when=OPEN))
    after, told = settle(message, Unclear("no answer"), OPEN, policy)  # type: ignore[arg-type]  # parametrized
    assert after.status == status
    assert [e.data.resolution for e in told if isinstance(e.data, NotificationUnknown)] == [
        resolution
    ]


def test_two_unclear_attempts_are_two_named_unknowns() -> None:
    message = in_hand(to_agent("mail-only", when=OPEN))
    message, first = settle(message, Unclear("no answer"), OPEN, "at_least_once")
    message, _ = release(message, OPEN, BOOK, DIRECTORY)
    _, second = settle(message, Unclear("no answer"), OPEN, "at_least_once")
    assert {e.id for e in first}.isdisjoint(e.id for e in second)


def test_every_event_has_an_id_of_its_own_and_the_same_one_in_every_run() -> None:
    def run() -> list[str]:
        state, _ = take(to_agent(when=NIGHT))
        state, held = deliver(state, NIGHT, BOOK, DIRECTORY)
        _, sent = deliver(state, MORNING, BOOK, DIRECTORY)
        return [envelope.id for envelope in held + sent]

    assert run() == run()
    assert len(set(run())) == 4


# -- words ---------------------------------------------------------------------------------------


def test_a_template_that_cannot_be_rendered_fails_that_message_with_the_reason() -> None:
    state, _ = take(to_agent("mail-only", when=OPEN, values={}))
    _, told = deliver(state, OPEN, BOOK, DIRECTORY)
    (data,) = [e.data for e in told]
    assert isinstance(data, NotificationFailed)
    assert "template 'alert' cannot be rendered: 'word' is undefined" in data.why


def test_an_sms_of_too_many_parts_is_refused_not_paid_for() -> None:
    state, _ = take(to_agent(when=OPEN, values={"word": "я" * 5000}))
    _, told = deliver(state, OPEN, BOOK, DIRECTORY)
    assert [e.data.channel for e in told if isinstance(e.data, NotificationFailed)] == ["sms"]
    assert [e.data.channel for e in told if isinstance(e.data, NotificationSent)] == ["email"]


def test_a_held_message_speaks_in_the_words_of_the_hour_it_goes() -> None:
    words = book(hello_sms="{% if site.closed %}завтра{% else %}сейчас{% endif %}")
    state, _ = handle({}, to_contact(("phone", "+375291234567"), when=NIGHT), words, DIRECTORY)
    _, told = deliver(state, NIGHT, words, DIRECTORY)
    assert [e.data.text for e in told if isinstance(e.data, NotificationSent)] == ["завтра"]


def test_requests_of_one_occasion_become_one_message_a_minute_after_the_last() -> None:
    state: State = {}
    for second, name in enumerate(("Anna", "Boris", "Vera")):
        state = _collected(state, name, OPEN + timedelta(seconds=second))
    assert {m.send_after for m in state.values()} == {OPEN + timedelta(seconds=62)}

    state, told = deliver(state, OPEN + timedelta(seconds=62), BOOK_OF_LEADS, DIRECTORY)
    assert _texts(told) == ["3: Anna Boris Vera"]

    # What comes when it has gone is told for itself: rather once more than not at all.
    state = _collected(state, "Gleb", OPEN + timedelta(hours=1))
    _, told = deliver(state, OPEN + timedelta(hours=2), BOOK_OF_LEADS, DIRECTORY)
    assert _texts(told) == ["1: Gleb"]


def test_a_message_about_the_leads_of_a_file_names_them_in_the_order_of_its_rows() -> None:
    state: State = {}
    for row, name in ((3, "Vera"), (1, "Anna"), (2, "Boris")):  # as their partitions were read
        state = _collected(state, name, OPEN + timedelta(microseconds=row))

    _, told = deliver(state, OPEN + timedelta(hours=1), BOOK_OF_LEADS, DIRECTORY)

    assert _texts(told) == ["3: Anna Boris Vera"]


BOOK_OF_LEADS = book(
    alert_sms="{{ count }}:{% for each in leads %} {{ each.name }}{% endfor %}",
)


def _collected(state: State, name: str, when: datetime) -> State:
    lead: JsonValue = {"name": name, "received_at": when.isoformat()}
    asked = agent_is_told(occasion="batch:1", values={"word": "", "lead": lead})
    asked = asked.model_copy(update={"collect": True, "lead": None})
    return handle(state, event(asked, when, name), BOOK_OF_LEADS, DIRECTORY)[0]


def _texts(told: list[Envelope]) -> list[str]:
    sent = [event.data for event in told if isinstance(event.data, NotificationSent)]
    return [each.text for each in sent if each.channel == "sms"]
