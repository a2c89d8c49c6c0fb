"""The settings of a broker on one developer's machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relance.stack.kafka_guard import Guard
from relance.stack.port import LOOPBACK

LARGEST_MESSAGE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Seat:
    """One broker's place in its cluster: its number from 1 on, and the ports of all of it.

    `inside` are the ports on which brokers talk to each other where `guard` keeps the door.
    """

    node: int
    port: int
    controllers: Sequence[int]
    inside: int = 0
    guard: Guard | None = None

    @property
    def brokers(self) -> int:
        """How many brokers the cluster has: each is a controller too."""
        return len(self.controllers)


def broker_settings(data: Path, seat: Seat) -> dict[str, str]:
    """Return `server.properties` for a broker that is a controller too."""
    replicas = str(min(3, seat.brokers))
    in_sync = "2" if seat.brokers >= 3 else "1"
    voters = (f"{node}@{LOOPBACK}:{port}" for node, port in enumerate(seat.controllers, start=1))
    return {
        "process.roles": "broker,controller",
        "node.id": str(seat.node),
        # Static voters: their address is read here each time. The dynamic kind keeps it in
        # the metadata log, where an old port would stay.
        "controller.quorum.voters": ",".join(voters),
        "controller.listener.names": "CONTROLLER",
        **_listeners(seat),
        "log.dirs": str(data),
        "num.partitions": "1",
        "auto.create.topics.enable": "false",  # the topic table is the truth (runtime.md 23)
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "message.max.bytes": str(LARGEST_MESSAGE_BYTES),
        "replica.fetch.max.bytes": str(LARGEST_MESSAGE_BYTES),
        # Each of a hundred partitions allots two of these: at 10 MB that costs seconds.
        "log.index.size.max.bytes": str(1024 * 1024),
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "4",  # the default of 50 costs a second at each start
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "group.initial.rebalance.delay.ms": "0",
        # After a kill the controller lets the broker back in when its old session has run
        # out: 9 s by default. So soon, too, its partitions get another leader.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "2000",
    }


def _listeners(seat: Seat) -> dict[str, str]:
    """Clients come in by CLIENT; where it is guarded, brokers talk on a door of their own."""
    controller = f"CONTROLLER://{LOOPBACK}:{seat.controllers[seat.node - 1]}"
    client = f"CLIENT://{LOOPBACK}:{seat.port}"
    if seat.guard is None:
        return {
            "listeners": f"{client},{controller}",
            "advertised.listeners": client,
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "CLIENT",
        }
    inside = f"INSIDE://{LOOPBACK}:{seat.inside}"
    return {
        "listeners": f"{client},{inside},{controller}",
        "advertised.listeners": f"{client},{inside}",
        "listener.security.protocol.map": (
            f"CLIENT:{seat.guard.protocol},INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
        "inter.broker.listener.name": "INSIDE",
        **seat.guard.settings("client"),
    }


def as_properties(settings: dict[str, str]) -> str:
    """Return the settings as a Java properties file, which is Latin-1 with escapes."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in settings.items())


def _escaped(value: str) -> str:
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
