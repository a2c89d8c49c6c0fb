"""TLS and passwords at the door of an embedded Kafka, as a production cluster asks for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class Guard:
    """Who may come in: `server` is a PEM file with the key (PKCS 8) and its certificates.

    Without `mechanisms` TLS alone; with some, `user` and `password` too.
    """

    server: Path
    mechanisms: Sequence[Mechanism] = ()
    user: str = "relance"
    password: str = ""

    @property
    def protocol(self) -> str:
        """Kafka's name for it."""
        return "SASL_SSL" if self.mechanisms else "SSL"

    def settings(self, listener: str) -> dict[str, str]:
        """Return the broker's settings for that listener (its name in lower case)."""
        door = f"listener.name.{listener}"
        tls = {
            f"{door}.ssl.keystore.type": "PEM",
            f"{door}.ssl.keystore.location": str(self.server),
        }
        if not self.mechanisms:
            return tls
        logins = {
            f"{door}.{each.lower()}.sasl.jaas.config": self._login(each) for each in self.mechanisms
        }
        return tls | logins | {f"{door}.sasl.enabled.mechanisms": ",".join(self.mechanisms)}

    def format_options(self) -> list[str]:
        """Return what a new data folder is told: SCRAM's users live in the cluster's metadata."""
        who = f"[name={self.user},password={self.password}]"
        scrams = [each for each in self.mechanisms if each.startswith("SCRAM")]
        return [part for each in scrams for part in ("--add-scram", f"{each}={who}")]

    def _login(self, mechanism: Mechanism) -> str:
        modules = "org.apache.kafka.common.security"
        if mechanism == "PLAIN":
            who = f'user_{self.user}="{self.password}"'
            return f"{modules}.plain.PlainLoginModule required {who};"
        return f"{modules}.scram.ScramLoginModule required;"
