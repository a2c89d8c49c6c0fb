"""How a cluster's topics differ from the table, and what would put that right; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.contract.topics import DAY_MS, Topic
from shared.domain.count import counted

Way = Literal["create", "change", "by hand"]


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is on the cluster; `replicas` of the partition that has fewest."""

    partitions: int
    replicas: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One sentence on one topic, and the way it is put right: by us, or by hand (`how`)."""

    topic: Topic
    way: Way
    sentence: str
    how: str
    setting: tuple[str, str] | None = None

    @property
    def step(self) -> str:
        """For the plan: what would be done."""
        return f"{self.way}: {self.topic.name}: {self.how}"


def configuration(topic: Topic, replication: int) -> dict[str, str]:
    """The topic's settings on the cluster."""
    settings = {
        "max.message.bytes": str(topic.max_bytes),
        "cleanup.policy": "compact" if topic.compacted else "delete",
        # Acknowledged means on two brokers; where there is one, on its disk (rule 20).
        "min.insync.replicas": "2" if replication >= 3 else "1",
    }
    if topic.retention_ms is not None:
        settings["retention.ms"] = str(topic.retention_ms)
    if topic.flush_each and replication == 1:
        settings["flush.messages"] = "1"
    return settings


def differences(topic: Topic, replication: int, found: Found | None) -> Iterator[Difference]:
    """Everything in which the cluster's topic is not as the table says."""
    replicas = counted(replication, "replica")
    if found is None:
        how = f"{counted(topic.partitions, 'partition')}, {replicas}, {_kept(topic)}"
        yield Difference(topic, "create", f"{topic.name} is missing", how)
        return
    if found.partitions != topic.partitions:
        yield Difference(
            topic,
            "by hand",
            f"{topic.name} has {counted(found.partitions, 'partition')} instead of "
            f"{topic.partitions} (the order of a lead depends on it)",
            "a partition count is never changed; ask whoever made it so, or make a new topic",
        )
    if found.replicas < replication:
        yield Difference(
            topic,
            "by hand",
            f"{topic.name} has {counted(found.replicas, 'replica')} instead of {replication}",
            f"give it {replicas} with kafka-reassign-partitions.sh, then apply again",
        )
    for name, value in configuration(topic, replication).items():
        if found.settings.get(name) != value:
            yield _setting(topic, found, name, value)


def _setting(topic: Topic, found: Found, name: str, value: str) -> Difference:
    is_ = found.settings.get(name)
    sentence = f"{topic.name} has {name}={is_} instead of {value}"
    if name == "min.insync.replicas" and found.replicas < int(value):
        how = f"{name} stays {is_} until there are {value} replicas: or nobody could write"
        return Difference(topic, "by hand", sentence, how)
    how = f"{name} from {is_} to {value}{_means(name, is_, value)}"
    return Difference(topic, "change", sentence, how, (name, value))


def _means(name: str, is_: str | None, value: str) -> str:
    """What a person should know before they say yes."""
    if name == "retention.ms" and is_ is not None and (int(is_) < 0 or int(value) < int(is_)):
        return f" (deletes what is older than {int(value) / DAY_MS:g} days)"
    if name == "cleanup.policy" and value == "compact":
        return " (keeps only the newest record of each key)"
    return ""


def _kept(topic: Topic) -> str:
    if topic.retention_ms is None:
        return "compacted"
    return f"kept {topic.retention_ms // DAY_MS} days"
