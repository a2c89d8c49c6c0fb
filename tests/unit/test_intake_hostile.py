"""Whatever the bytes: an event or a named refusal, never anything else."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.core.arrival import Arrival, Refusal
from services.intake.core.normal_form import Acceptance, normalise
from services.intake.formats import call, cloud_event, form, mail
from services.intake.formats.payload import Payload
from shared.contract.topics import decode
from shared.domain.rulebook.source import Source
from tests.unit.test_intake_formats import SITE
from tests.unit.test_intake_normal_form import MAIL, PHONE

ACCEPTANCE = Acceptance("t", datetime(2026, 3, 2, tzinfo=UTC), "BY", "chance", b"key")

_LINES = [
    b"From: ", b"Reply-To: ", b"Subject: ", b"Message-ID: <1@x>", b"Date: ", b"References: ",
    b"Content-Type: multipart/mixed; boundary=B", b"Content-Type: text/html; charset=",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Disposition: attachment; filename*=utf-8''%ff", b"--B", b"--B--", b"", b"",
    b"=?utf-8?B?0JjQstCw0L0=?=", b"=?x?Q?=ZZ?=", b"a@b.fr", b'"a@b.fr" <', b"unicode_escape",
    b"\\ud800", b"<p>x</p>", b"\xff\x00\xfe", b"Content-Type: message/rfc822",
]  # fmt: skip
_HUGE = "a number of 5000 digits"
MAILS = st.one_of(
    st.binary(max_size=400),
    st.lists(st.one_of(st.sampled_from(_LINES), st.binary(max_size=20)), max_size=25).map(
        lambda lines: b"From: ivan@example.com\r\n" + b"\r\n".join(lines)
    ),
    st.lists(st.sampled_from(_LINES), max_size=20).map(b"".join),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from([_HUGE, "\x00", "+375291234567", "a@b.fr", "missed", "2026-03-02"]),
)  # fmt: skip
NAMES = st.sampled_from(
    ["call_id", "from", "to", "status", "started_at", "duration_s", "tel", "mail", "first",
     "submission", "message", "x", "\x00", "specversion", "data", "data_base64", "source", "id"]
)  # fmt: skip
OBJECTS = st.dictionaries(
    NAMES, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
)
JSONS = st.one_of(
    st.binary(max_size=200),
    OBJECTS.map(lambda value: _json(value).encode("utf-8", "surrogatepass")),
)


PIECES = [
    b"--XX\r\n", b"--XX--\r\n", b"\r\n", b'Content-Disposition: form-data; name="tel"',
    b"Content-Disposition: form-data", b"\xff", b"+375291234567", b"filename=x",
    b'Content-Disposition: form-data; name="f"; filename="a"', b"tel=1&", b"%zz",
]  # fmt: skip
FORMS = st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES)).map(b"".join))
CONTENT_TYPES = [
    "multipart/form-data; boundary=XX",
    "multipart/form-data",
    "multipart/form-data; boundary=\xff",
    "application/x-www-form-urlencoded",
]


def _json(value: object) -> str:
    """JSON written by hand, so that it may hold what `json` refuses to write."""
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{_json(name)}:{_json(inner)}" for name, inner in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if value == _HUGE:
        return "1" * 5_000
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _normal(source: Source, arrival: Arrival) -> None:
    """What was read can be written and read back, whatever it holds."""
    envelope = normalise(source, arrival, ACCEPTANCE)
    raw = envelope.to_bytes()
    assert b"\\u0000" not in raw
    assert decode(raw).id == envelope.id


@settings(max_examples=300, deadline=None)
@given(MAILS)
def test_a_hostile_mail_is_a_lead_or_a_named_refusal(raw: bytes) -> None:
    payload = Payload("smtp", "message/rfc822", raw, mail_from="", mailbox="s@a.example")
    _only_refused(lambda: _normal(MAIL, mail.read(payload)))


@settings(max_examples=300, deadline=None)
@given(JSONS)
def test_hostile_json_is_a_lead_or_a_named_refusal(raw: bytes) -> None:
    payload = Payload("http", "application/json", raw)
    _only_refused(lambda: _normal(PHONE, call.read(payload)))
    _only_refused(lambda: _normal(SITE, form.read(SITE, payload)))
    _only_refused(lambda: cloud_event.read(raw, {}, "t/0/1"))


@settings(max_examples=200, deadline=None)
@given(FORMS, st.sampled_from(CONTENT_TYPES))
def test_a_hostile_form_is_a_lead_or_a_named_refusal(raw: bytes, content_type: str) -> None:
    payload = Payload("http", content_type, raw)
    _only_refused(lambda: _normal(SITE, form.read(SITE, payload)))


def _only_refused(act: Callable[[], object]) -> None:
    with suppress(Refusal):
        act()


def test_json_nested_a_thousand_deep_is_refused() -> None:
    with pytest.raises(Refusal):
        call.read(Payload("http", "application/json", b'{"a":' * 1000 + b"1" + b"}" * 1000))
