"""Every setting of the runtime, documented in one place; a service adds its own by subclassing."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

STOP_DEADLINE_S = 15
"""How long a service takes to stop at most; whoever would kill it then must wait longer
(`relance.stack.patience`, docker-compose.yml)."""


class WrongSetting(Exception):
    """One sentence for the person who starts the service: which setting, what it should be."""


class Settings(BaseSettings):
    """Read from the environment (`RELANCE_PORT=8080`) or from files: a folder that
    `RELANCE_SECRETS` names may hold `relance_postgres`. Secrets are never logged.
    """

    model_config = SettingsConfigDict(env_prefix="RELANCE_", extra="ignore", frozen=True)

    kafka: str = Field(
        default="127.0.0.1:9092", description="Kafka's bootstrap servers: host:port, by comma."
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"] = Field(
        default="PLAINTEXT",
        description="How to talk to Kafka; in production SASL_SSL: TLS, and a password in it.",
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="Only with SASL."
    )
    kafka_user: str | None = Field(default=None, description="Only with SASL.")
    kafka_password: SecretStr | None = Field(
        default=None,
        description="Only with SASL; best as the file `relance_kafka_password` in the folder that "
        "RELANCE_SECRETS names.",
    )
    kafka_ca: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed Kafka's certificate; without it, those "
        "that the machine trusts.",
    )
    kafka_session_s: float = Field(
        default=30,
        ge=6,
        le=300,
        description="After so long without a sign of life a member's partitions go to another.",
    )
    member: str | None = Field(
        default=None,
        description="This member's name, the same after a restart (a stateful set's pod): killed, "
        "it gets its partitions back at once instead of after the session's end.",
    )
    kafka_replication: int = Field(
        default=1, ge=1, le=9, description="Replicas a topic must have; 3 in production."
    )
    postgres: SecretStr = Field(
        default=SecretStr("postgresql://127.0.0.1:5432/relance"),
        description="PostgreSQL's address, with this service's own role. Over a network add "
        "?sslmode=verify-full&sslrootcert=FILE: TLS, and the authority that signed its "
        "certificate.",
    )
    postgres_pool: int = Field(default=10, ge=3, le=100, description="Sessions to PostgreSQL.")
    migrate: bool = Field(
        default=False,
        description="Apply missing migrations at start; otherwise start is refused without them.",
    )
    host: str = Field(default="127.0.0.1", description="Address to serve HTTP on.")
    port: int = Field(default=0, ge=0, le=65535, description="HTTP port; 0 takes a free one.")
    public_url: str = Field(
        default="http://127.0.0.1", description="How people and senders reach this service."
    )
    link_key: SecretStr | None = Field(
        default=None,
        description="Signs the links by which agents answer from a message: the same in pipeline "
        "and notifications. Without it messages carry no such link.",
    )
    hash_key: SecretStr = Field(
        default=SecretStr("relance"),
        description="Keys the hashes that stand for a person's phone or e-mail: as record keys, "
        "and for who must not be contacted after their erasure. Set your own in production, the "
        "same in intake, pipeline and notifications, and never change it.",
    )
    rulebook: Path | None = Field(default=None, description="Folder of the company's rulebook.")
    clock_file: Path | None = Field(
        default=None, description="Time is what this file says (demos and tests only)."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="What is logged."
    )
    log_format: Literal["auto", "json", "pretty"] = Field(
        default="auto", description="`auto` is pretty on a terminal and JSON elsewhere."
    )
    gate_margin_s: float = Field(
        default=5.25,
        ge=0,
        le=60,
        description="How long an input that intake has dated may take to reach Kafka: intake "
        "gives up after 5 s. What is due is judged so much later, never before what came in "
        "earlier.",
    )
    dependency_deadline_s: float = Field(
        default=60, gt=0, description="How long start waits for Kafka and PostgreSQL."
    )
    stop_deadline_s: float = Field(
        default=STOP_DEADLINE_S,
        gt=0,
        description="How long stop waits for the batch in hand and the outbox.",
    )

    @field_validator("kafka_ca")
    @classmethod
    def _holds_an_authority(cls, file: Path | None) -> Path | None:
        if file is not None:
            try:
                ssl.create_default_context(cafile=str(file))
            except ssl.SSLError:
                raise ValueError("this file should hold a certificate in PEM") from None
            except OSError as error:
                raise ValueError(f"this file cannot be read: {error.strerror}") from None
        return file

    @model_validator(mode="after")
    def _says_who_we_are(self) -> Self:
        if self.kafka_security.startswith("SASL") and not (self.kafka_user and self.kafka_password):
            raise ValueError(
                f"RELANCE_KAFKA_SECURITY={self.kafka_security} needs RELANCE_KAFKA_USER and "
                "RELANCE_KAFKA_PASSWORD"
            )
        return self

    @property
    def hashing(self) -> bytes:
        """The key of the hashes of contact points."""
        return self.hash_key.get_secret_value().encode()

    @classmethod
    def read(cls) -> Self:
        """The settings of this process; raises `WrongSetting` with one sentence."""
        secrets = os.environ.get("RELANCE_SECRETS")
        if secrets and not Path(secrets).is_dir():
            raise WrongSetting(f"RELANCE_SECRETS names {secrets}, which is no folder: correct it.")
        try:
            return cls(_secrets_dir=secrets)
        except ValidationError as error:
            raise WrongSetting(_sentence(cls, error)) from None


def documented(settings: type[Settings]) -> list[tuple[str, str, str]]:
    """(environment variable, default, meaning) of every setting, for people."""
    return [
        (f"RELANCE_{name.upper()}", str(field.get_default()), field.description or "")
        for name, field in settings.model_fields.items()
    ]


def _sentence(settings: type[Settings], error: ValidationError) -> str:
    wrong = [_wrong(settings, item) for item in error.errors(include_url=False)]
    return f"Wrong setting: {'; '.join(wrong)}. Correct it and start again."


def _wrong(settings: type[Settings], item: ErrorDetails) -> str:
    """What is wrong with one setting, or with several together: then `msg` names them.

    A value is shown only where it is no secret; of several together every value would be.
    """
    expected = re.sub(r"^Value error, ", "", item["msg"])
    if not item["loc"]:
        return expected
    name = str(item["loc"][0])
    field = settings.model_fields.get(name)
    is_secret = field is None or SecretStr in (field.annotation, *get_args(field.annotation))
    value = "" if is_secret else f" (it is {item['input']!r})"
    return f"RELANCE_{name.upper()}: {expected[0].lower()}{expected[1:]}{value}"
