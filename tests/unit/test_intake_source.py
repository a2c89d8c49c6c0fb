"""Who may speak for a source, and how a source is declared."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.intake.core.bucket import Buckets
from services.intake.core.source import Sender, Stranger, admit
from services.intake.settings import secrets_of
from shared.domain.rulebook.source import Source, Sources
from shared.runtime.settings import WrongSetting

NOW = datetime(2026, 3, 2, tzinfo=UTC)
KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
SITE = {
    "id": "site",
    "label": "Форма",
    "format": "form",
    "doors": ["http"],
    "site": "minsk",
    "secrets": ["env:ONE", "env:TWO"],
    "origins": ["https://a.example"],
    "mapping": {"tel": "phone"},
}


def admitted(headers: dict[str, str], body: bytes = b"{}") -> Sender | Stranger:
    return admit(Source.model_validate(SITE), ("old", SECRET), headers, body, now=NOW)


def signed(id_: str = "m1", at: datetime = NOW, body: bytes = b"{}") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    digest = hmac.new(KEY, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1a,zzz v1," + base64.b64encode(digest).decode(),
    }


def test_either_of_two_secrets_counts_while_one_replaces_the_other() -> None:
    assert admitted({"authorization": "Bearer old"}) == Sender("secret")
    assert admitted({"x-relance-secret": SECRET}) == Sender("secret")
    assert isinstance(admitted({"authorization": "Bearer other"}), Stranger)
    assert isinstance(admitted({}), Stranger)


def test_a_standard_webhooks_signature_counts_for_five_minutes_and_for_this_body_only() -> None:
    assert admitted(signed()) == Sender("secret")
    assert isinstance(admitted(signed(), b'{"a":1}'), Stranger)
    assert isinstance(admitted(signed(at=datetime(2026, 3, 1, 23, 54, tzinfo=UTC))), Stranger)
    assert isinstance(admitted(signed() | {"webhook-timestamp": "soon"}), Stranger)


def test_a_browser_is_let_in_from_the_companys_pages_only() -> None:
    assert admitted({"origin": "https://a.example"}) == Sender("browser")
    stranger = admitted({"origin": "https://evil.example"})
    assert isinstance(stranger, Stranger)
    assert "evil.example" in stranger.why


def test_a_wrong_secret_is_not_saved_by_a_good_origin() -> None:
    headers = {"origin": "https://a.example", "authorization": "Bearer wrong"}
    assert isinstance(admitted(headers), Stranger)


def test_a_source_without_its_secret_refuses_to_start_in_one_sentence(tmp_path: Path) -> None:
    phone = Source.model_validate(
        {"id": "phone", "label": "x", "format": "call", "doors": ["http"], "site": "minsk",
         "secrets": ["env:PHONE", f"file:{tmp_path / 'phone'}"]}
    )  # fmt: skip
    with pytest.raises(WrongSetting, match=r"'phone'.*set env:PHONE or file:"):
        secrets_of(phone, {})
    (tmp_path / "phone").write_text("s2\n")
    assert secrets_of(phone, {"PHONE": "s1"}) == ("s1", "s2")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"origins": [], "secrets": []}, "door http needs secrets"),
        ({"doors": ["topic"]}, "needs cloudevents_source"),
        ({"doors": ["smtp"]}, "needs format mail and a mailbox"),
        ({"mapping": {"who": "name"}}, "needs a phone or an email"),
        ({"secrets": ["hunter2"]}, "env:"),
        ({"colour": "red"}, "colour"),
        ({"repeat_within": "soon"}, "repeat_within: 'soon' is no duration"),
        ({"repeat_within": "121d"}, "at most 120d"),
    ],
)
def test_a_source_that_cannot_work_is_refused_where_it_is_declared(
    change: dict[str, object], why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        Source.model_validate({**SITE, **change})


def test_two_sources_do_not_share_a_name() -> None:
    with pytest.raises(ValidationError, match="declared by both"):
        Sources.model_validate({"source": [SITE, SITE]})


def test_a_source_that_sends_too_much_is_told_when_to_come_back() -> None:
    buckets = Buckets(rate_per_s=0.5, burst=2)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [0, 0, 2]
    assert buckets.take("b", 0.0) == 0
    assert [buckets.take("a", 2.0), buckets.take("a", 2.0)] == [0, 2]
