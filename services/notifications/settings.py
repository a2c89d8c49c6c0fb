"""The settings of notifications: its providers, and how patient it is with them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from shared.runtime.settings import Settings


class NotificationsSettings(Settings):
    """`RELANCE_SMTP_HOST=mail.example` and so on, beside what every service has."""

    answer_url: str = Field(
        default="http://127.0.0.1:8401",
        description="Where people reach pipeline, which takes their answers to questions.",
    )
    smtp_host: str = Field(default="127.0.0.1", description="The mail server that takes our mail.")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Its port.")
    smtp_tls: Literal["none", "starttls", "tls"] = Field(
        default="none", description="How the connection is secured; `none` only on one machine."
    )
    smtp_ca: Path | None = Field(
        default=None, description="File of the authority that signed the mail server's certificate."
    )
    smtp_user: str | None = Field(default=None, description="Only where the mail server asks.")
    smtp_password: SecretStr | None = Field(
        default=None, description="Only with RELANCE_SMTP_USER."
    )
    smtp_from: str = Field(
        default="relance@localhost.localdomain",
        pattern=r"^[^@\s<>]+@[^@\s<>]+$",
        description="The address our mail comes from; its domain makes the Message-IDs.",
    )
    smtp_at_once: int = Field(default=2, ge=1, le=50, description="Connections to the mail server.")
    sms_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Where SMS are posted; without it the sandbox shows them at /sandbox.",
    )
    sms_token: SecretStr | None = Field(
        default=None, description="The SMS provider's bearer token."
    )
    sms_at_once: int = Field(default=16, ge=1, le=100, description="SMS handed over side by side.")
    chat_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Where chat messages to agents are posted; without it the sandbox shows them.",
    )
    chat_token: SecretStr | None = Field(default=None, description="The chat's bearer token.")
    provider_timeout_s: float = Field(
        default=15, gt=0, le=100, description="How long a provider may take for one message."
    )
    lease_s: float = Field(
        default=60,
        gt=0,
        le=600,
        description="After so long a message in hand counts as lost by a crash; at least three "
        "times RELANCE_PROVIDER_TIMEOUT_S.",
    )
    retry_first_s: float = Field(
        default=1, gt=0, description="Pause after a provider did not take a message; it doubles."
    )
    retry_longest_s: float = Field(default=300, gt=0, description="The longest such pause.")
    attempts_at_most: int = Field(
        default=100, ge=1, description="After so many attempts a message has failed."
    )
    ask_for_s: float = Field(
        default=3600,
        gt=0,
        description="How long a provider that is away is asked what became of a message.",
    )

    def pause_s(self, attempts: int) -> float:
        """How long to wait after so many attempts: doubled each time, up to the longest."""
        doubled = self.retry_first_s * 2 ** min(attempts - 1, 30)
        return float(min(self.retry_longest_s, doubled))

    @model_validator(mode="after")
    def _lease_outlives_a_call(self) -> Self:
        """A message must not count as lost while its provider may still answer."""
        if self.lease_s < 3 * self.provider_timeout_s:
            raise ValueError(
                "RELANCE_LEASE_S must be at least three times RELANCE_PROVIDER_TIMEOUT_S"
            )
        return self
