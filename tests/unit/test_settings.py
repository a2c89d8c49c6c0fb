"""A wrong setting is told in a sentence, and never with a secret in it."""

from pathlib import Path

import pytest

from services.notifications.settings import NotificationsSettings
from shared.runtime.settings import WrongSetting

SECRETS = {
    "RELANCE_POSTGRES": "postgresql://notifications:hunter2@db/relance",
    "RELANCE_SMTP_PASSWORD": "hunter2",
    "RELANCE_SMS_TOKEN": "hunter2",
}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"RELANCE_LEASE_S": "1"},
            "Wrong setting: RELANCE_LEASE_S must be at least three times "
            "RELANCE_PROVIDER_TIMEOUT_S. Correct it and start again.",
        ),
        (
            {"RELANCE_SMTP_PORT": "mail"},
            "Wrong setting: RELANCE_SMTP_PORT: input should be a valid integer, unable to parse "
            "string as an integer (it is 'mail'). Correct it and start again.",
        ),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_told(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], sentence: str
) -> None:
    for name, value in {**SECRETS, **wrong}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting) as told:
        NotificationsSettings.read()
    assert str(told.value) == sentence


def test_a_password_is_asked_for_where_kafka_wants_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELANCE_KAFKA_SECURITY", "SASL_SSL")
    monkeypatch.setenv("RELANCE_KAFKA_USER", "relance")
    with pytest.raises(WrongSetting, match="SASL_SSL needs RELANCE_KAFKA_USER and RELANCE_KAFKA_P"):
        NotificationsSettings.read()


def test_a_file_without_an_authority_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    monkeypatch.setenv("RELANCE_KAFKA_CA", str(file))
    with pytest.raises(WrongSetting, match="RELANCE_KAFKA_CA: this file cannot be read: No such"):
        NotificationsSettings.read()
    file.write_text("no certificate")
    with pytest.raises(WrongSetting, match="RELANCE_KAFKA_CA: this file should hold a certificate"):
        NotificationsSettings.read()
