"""How calls and forms are read, and how CloudEvents carry them."""

import base64
import json

import pytest

from services.intake.core.arrival import Arrival, Refusal
from services.intake.formats import call, cloud_event, form
from services.intake.formats.payload import Payload
from shared.domain.rulebook.source import Source

SITE = Source.model_validate(
    {
        "id": "site",
        "label": "Форма",
        "format": "form",
        "doors": ["http"],
        "site": "minsk",
        "origins": ["https://a.example"],
        "mapping": {
            "first": "name",
            "last": "name",
            "tel": "phone",
            "mail": "email",
            "message": "text",
            "branch": "niche",
            "utm": "ignore",
            "submission": "id",
        },
        "honeypot": "website",
    }
)


def the_call(**facts: object) -> Arrival:
    body = {"call_id": "c1", "from": "+375291234567", "status": "missed", **facts}
    return call.read(Payload("http", "application/json", json.dumps(body).encode()))


def the_form(body: bytes, content_type: str = "application/x-www-form-urlencoded") -> Arrival:
    return form.read(SITE, Payload("http", content_type, body))


@pytest.mark.parametrize("status", ["missed", "busy", "abandoned", "voicemail"])
def test_a_call_that_nobody_took_is_a_missed_call(status: str) -> None:
    arrival = the_call(status=status, started_at="2026-03-02T10:00:05+03:00")
    assert arrival.call is not None
    assert arrival.call.outcome == "missed"
    assert arrival.provider_id == "c1"
    assert str(arrival.occurred_at) == "2026-03-02 10:00:05+03:00"


def test_an_answered_call_names_who_took_it() -> None:
    arrival = the_call(status="answered", agent="anna", duration_s=61)
    assert arrival.call is not None
    assert (arrival.call.outcome, arrival.call.answered_by) == ("answered", "anna")


@pytest.mark.parametrize(
    ("facts", "phase", "outcome", "number"),
    [
        ({"status": "ringing"}, "started", None, "+375291234567"),
        ({"status": "in_progress", "agent": "anna"}, "started", None, "+375291234567"),
        ({"direction": "outbound", "to": "+375297654321"}, "ended", "missed", "+375297654321"),
    ],
)
def test_a_call_that_goes_on_and_one_of_ours_is_news_and_no_lead(
    facts: dict[str, object], phase: str, outcome: str | None, number: str
) -> None:
    arrival = the_call(**{"from": "+375291234567", **facts})
    assert arrival.call is None
    assert arrival.news is not None
    assert (arrival.news.phase, arrival.news.outcome) == (phase, outcome)
    assert [phone.text for phone in arrival.phones] == [number]


def test_each_phase_of_a_call_has_an_id_of_its_own() -> None:
    ids = {the_call(status=status).provider_id for status in ("ringing", "in_progress", "missed")}
    assert len(ids) == 3


def test_a_call_with_a_wrong_field_is_refused_by_its_name() -> None:
    with pytest.raises(Refusal) as refused:
        the_call(status="gone")
    assert refused.value.field == "status"
    with pytest.raises(Refusal) as without_zone:
        the_call(started_at="2026-03-02T10:00:05")
    assert without_zone.value.field == "started_at"


def test_a_browsers_form_is_read_by_the_sources_mapping() -> None:
    arrival = the_form(
        "first=Иван&last=Петров&tel=%2B375291234567&branch=cafe&utm=x&message=Да&submission=s1".encode()
    )
    assert (arrival.name, arrival.text, arrival.provider_id) == ("Иван Петров", "Да", "s1")
    assert [typed.text for typed in arrival.phones] == ["+375291234567"]
    assert arrival.fields == {"niche": "cafe"}


def test_a_field_that_nobody_mapped_is_kept_in_the_text() -> None:
    assert the_form(b"tel=1&message=Hi&budget=5000").text == "Hi\nbudget: 5000"


def test_json_and_multipart_say_the_same_as_a_browser() -> None:
    said = the_form(b"first=Ivan&tel=%2B375291234567&message=two%0D%0Alines")
    as_json = the_form(
        b'{"first":"Ivan","tel":"+375291234567","message":"two\\r\\nlines","branch":null}',
        "application/json; charset=utf-8",
    )
    parts = "".join(
        f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (
            ("first", "Ivan"),
            ("tel", "+375291234567"),
            ("message", "two\r\nlines"),
        )
    )
    multipart = the_form(f"{parts}--XX--\r\n".encode(), "multipart/form-data; boundary=XX")
    assert said == as_json == multipart


def test_a_multipart_form_that_was_cut_off_is_refused() -> None:
    whole = b'--XX\r\nContent-Disposition: form-data; name="tel"\r\n\r\n123'
    with pytest.raises(Refusal, match="cut off"):
        the_form(whole, "multipart/form-data; boundary=XX")


def test_a_robot_that_fills_the_hidden_field_is_ignored() -> None:
    assert "robot" in (the_form(b"tel=%2B375291234567&website=spam").ignored or "")


def test_a_form_in_a_language_nobody_speaks_is_refused() -> None:
    with pytest.raises(Refusal, match="text/csv"):
        the_form(b"a,b", "text/csv")


def test_a_structured_and_a_binary_cloudevent_say_the_same() -> None:
    data = {"call_id": "c1", "from": "+375291234567", "status": "missed"}
    structured = cloud_event.read(
        json.dumps({"specversion": "1.0", "id": "e1", "source": "//pbx", "type": "call",
                    "data": data}).encode(),
        {"content-type": "application/cloudevents+json"},
        "t/0/1",
    )  # fmt: skip
    headers = cloud_event.headers_as_text(
        [("ce_specversion", b"1.0"), ("ce_id", b"e1"), ("ce_source", b"//pbx"), ("x", None),
         ("content-type", b"application/json"), ("y", b"\xff\xfe")]
    )  # fmt: skip
    binary = cloud_event.read(json.dumps(data).encode(), headers, "t/0/1")
    assert structured.source == binary.source == "//pbx"
    assert structured.payload.provider_id == binary.payload.provider_id == "e1"
    assert call.read(structured.payload) == call.read(binary.payload)


def test_a_cloudevent_can_carry_bytes_and_lacks_an_id_at_its_own_risk() -> None:
    event = cloud_event.read(
        json.dumps({"specversion": "1.0", "source": "//x", "datacontenttype": "message/rfc822",
                    "data_base64": base64.b64encode(b"From: a@b.fr").decode()}).encode(),
        {},
        "inbound.emails.v1/2/17",
    )  # fmt: skip
    assert event.payload.body == b"From: a@b.fr"
    assert event.payload.provider_id == "inbound.emails.v1/2/17"


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"a":1}', b"\xff"])
def test_a_record_that_is_no_cloudevent_is_refused(value: bytes | None) -> None:
    with pytest.raises(Refusal):
        cloud_event.read(value, {}, "t/0/1")
