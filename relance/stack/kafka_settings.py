"""The settings of a broker on one developer's machine."""

from pathlib import Path

from relance.stack.port import LOOPBACK

LARGEST_MESSAGE_BYTES = 8 * 1024 * 1024


def broker_settings(data: Path, port: int, controller_port: int) -> dict[str, str]:
    """Return `server.properties` for a broker that is its own controller."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        # Static voters: their address is read here each time. The dynamic kind keeps it in
        # the metadata log, where an old port would stay.
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "num.partitions": "1",
        "auto.create.topics.enable": "false",  # the topic table is the truth (runtime.md 23)
        "message.max.bytes": str(LARGEST_MESSAGE_BYTES),
        "replica.fetch.max.bytes": str(LARGEST_MESSAGE_BYTES),
        # Each of a hundred partitions allots two of these: at 10 MB that costs seconds.
        "log.index.size.max.bytes": str(1024 * 1024),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",  # the default of 50 costs a second at each start
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # After a kill the controller lets the broker back in when its old session has run
        # out: 9 s by default.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "2000",
    }


def as_properties(settings: dict[str, str]) -> str:
    """Return the settings as a Java properties file, which is Latin-1 with escapes."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in settings.items())


def _escaped(value: str) -> str:
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
