"""TLS and passwords at the door of an embedded Kafka, as a production cluster asks for them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class Guard:
    """Who may come in: `server` is a PEM file with the key (PKCS 8) and its certificates.

    Without a `mechanism` TLS alone; with one, `user` and `password` too.
    """

    server: Path
    mechanism: Mechanism | None = None
    user: str = "relance"
    password: str = ""

    @property
    def protocol(self) -> str:
        """Kafka's name for it."""
        return "SASL_SSL" if self.mechanism else "SSL"

    def settings(self, listener: str) -> dict[str, str]:
        """Return the broker's settings for that listener (its name in lower case)."""
        door = f"listener.name.{listener}"
        tls = {
            f"{door}.ssl.keystore.type": "PEM",
            f"{door}.ssl.keystore.location": str(self.server),
        }
        if self.mechanism is None:
            return tls
        login = f"{door}.{self.mechanism.lower()}.sasl.jaas.config"
        return tls | {f"{door}.sasl.enabled.mechanisms": self.mechanism, login: self._login()}

    def format_options(self) -> list[str]:
        """Return what a new data folder is told: SCRAM's users live in the cluster's metadata."""
        if self.mechanism is None or self.mechanism == "PLAIN":
            return []
        return ["--add-scram", f"{self.mechanism}=[name={self.user},password={self.password}]"]

    def _login(self) -> str:
        modules = "org.apache.kafka.common.security"
        if self.mechanism == "PLAIN":
            who = f'user_{self.user}="{self.password}"'
            return f"{modules}.plain.PlainLoginModule required {who};"
        return f"{modules}.scram.ScramLoginModule required;"
