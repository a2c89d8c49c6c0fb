"""A wrong setting is told in a sentence, and never with a secret in it."""

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
