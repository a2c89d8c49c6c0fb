"""What each service of the local stack is told: where its neighbours are, and its secrets."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.port import LOOPBACK

# Everything listens on this machine alone; a person's own values in the environment go first.
LOCAL_SECRET = "local-secret"  # noqa: S105 - not one: it opens nothing but a stack on one's desk


@dataclass(frozen=True)
class Surroundings:
    """The addresses of a started stack."""

    kafka: str
    intake_url: str
    pipeline_url: str
    intake_smtp_port: int
    mail_smtp_port: int
    rulebook: Path
    clock_file: Path | None
    kafka_replication: int = 1

    def settings(self, service: str, url: str, dsn: str) -> dict[str, str]:
        """Return the environment variables of one service, which is reached at `url`."""
        common = {
            "RELANCE_KAFKA": self.kafka,
            "RELANCE_KAFKA_REPLICATION": str(self.kafka_replication),
            "RELANCE_HOST": LOOPBACK,
            "RELANCE_PORT": url.rpartition(":")[2],
            "RELANCE_RULEBOOK": str(self.rulebook),
            "RELANCE_PUBLIC_URL": url,
            "RELANCE_INTAKE_URL": self.intake_url,
            "RELANCE_ANSWER_URL": self.pipeline_url,
            "RELANCE_MIGRATE": "true",
            # One of each, so the name is free again when it is killed: what it had in hand is
            # its own at once, not after the 30 s that Kafka waits for somebody without a name.
            "RELANCE_MEMBER": "local",
            # One broker on the same machine: an alert need not wait as long as for a far one.
            "RELANCE_GATE_MARGIN_S": "0.5",
        }
        if self.clock_file:
            common["RELANCE_CLOCK_FILE"] = str(self.clock_file)
        if service == "intake":
            return common | self._mail(self.intake_smtp_port)
        if service == "notifications":
            common |= self._mail(self.mail_smtp_port)
        return common | {"RELANCE_POSTGRES": dsn}

    def secrets(self, service: str) -> dict[str, str]:
        """Return the secrets of a service, for use where the environment has none."""
        names = {
            "intake": lambda: ["RELANCE_ADMIN_KEY", *_first_secrets(self.rulebook)],
            "pipeline": lambda: ["RELANCE_LINK_KEY"],
            "notifications": lambda: ["RELANCE_LINK_KEY"],
        }.get(service, list[str])()
        return dict.fromkeys(names, LOCAL_SECRET)

    @staticmethod
    def _mail(port: int) -> dict[str, str]:
        """For intake: where it takes mail; for notifications: where it gives mail."""
        return {"RELANCE_SMTP_HOST": LOOPBACK, "RELANCE_SMTP_PORT": str(port)}


def _first_secrets(rulebook: Path) -> list[str]:
    """Return the names of the variables that the rulebook's sources expect (`env:NAME`)."""
    file = rulebook / "sources.toml"
    try:
        sources = tomllib.loads(file.read_text(encoding="utf-8")).get("source", [])
    except (OSError, ValueError) as error:
        raise StackError(f"The doors in {file} cannot be read ({error}): correct it.") from error
    first = [source["secrets"][0] for source in sources if source.get("secrets")]
    return [reference.removeprefix("env:") for reference in first if reference.startswith("env:")]
