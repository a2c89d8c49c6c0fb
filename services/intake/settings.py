"""The settings of intake, and the secrets that its sources name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr

from shared.domain.rulebook.source import Source
from shared.runtime.reference import value_of
from shared.runtime.settings import Settings, WrongSetting


class IntakeSettings(Settings):
    """What intake asks for beside the settings of every service."""

    admin_key: SecretStr | None = Field(
        default=None,
        description="Bearer key for PUT and GET /directory; without it the directory is closed.",
    )
    smtp_host: str = Field(default="127.0.0.1", description="Address to take mail on.")
    smtp_port: int = Field(
        default=0, ge=0, le=65535, description="SMTP port for mailbox sources; 0 takes a free one."
    )
    files: Path | None = Field(
        default=None,
        description="Folder of the file door: files in FOLDER/SOURCE/ are taken in and moved to "
        "FOLDER/SOURCE/done/. Without it sources get no files.",
    )
    source_rate_per_s: float = Field(
        default=100, gt=0, description="Inputs a second that one source may send for long."
    )
    source_burst: float = Field(
        default=1000, ge=1, description="Inputs that one source may send at once."
    )
    in_flight: int = Field(
        default=500, ge=1, description="Requests that may wait for Kafka at the same time."
    )


def secrets_of(source: Source, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The values behind the source's references, one or two while one replaces the other.

    Raises `WrongSetting` when the source could let nobody in.
    """
    values = [value_of(reference, environment) for reference in source.secrets]
    found = [value for value in values if value]
    if not found and source.secrets and not source.origins:
        names = " or ".join(source.secrets)
        raise WrongSetting(
            f"Source {source.id!r} of sources.toml has no secret: set {names} and start again."
        )
    return tuple(found)
