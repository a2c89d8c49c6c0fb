"""`relance offsets`: where the groups stand on their topics, and how to set them elsewhere.

To be used when a service says that Kafka no longer has what it would read next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from relance.database import CannotDo
from shared.domain.count import counted
from shared.runtime import kafka
from shared.runtime.kafka_refusal import refusal
from shared.runtime.position import Range, gone
from shared.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """Where `group` shall go on: `earliest`, `latest`, an offset, or an ISO time with its zone.

    `only` names a topic or `topic/partition`; without it every partition of the group.
    """

    group: str
    to: str
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One partition of a group: where it stands, and what Kafka has."""

    tp: TopicPartition
    committed: int
    kept: Range

    def line(self, group: str) -> str:
        """For the screen."""
        lost = gone(str(self.tp.topic), group, self.committed, self.kept) is not None
        lag = "GONE" if lost else str(self.kept.ends - self.committed)
        where = f"{self.tp.topic}/{self.tp.partition}"
        return (
            f"  {where:<34}{self.committed:>10}{self.kept.begins:>10}{self.kept.ends:>10}{lag:>8}"
        )


HEAD = f"  {'topic/partition':<34}{'stands at':>10}{'earliest':>10}{'end':>10}{'lag':>8}"


async def shown(group: str | None, bootstrap: str) -> str:
    """Where a group stands, or all of ours. Raises `CannotDo`."""
    async with _connected(bootstrap) as (admin, reader):
        groups = [group] if group else await _groups(admin)
        lines: list[str] = []
        for each in groups:
            places = await _places(admin, reader, each)
            members = counted(len(await _members(admin, each)), "member")
            lines.append(f"{each} ({members})")
            lines += [HEAD, *(place.line(each) for place in places), ""]
    return "\n".join(lines[:-1]) or "No group has read anything yet."


async def change(wanted: Change, bootstrap: str, *, for_real: bool) -> str:
    """What would change, partition by partition; done only `for_real`. Raises `CannotDo`.

    A group that has members is left alone: they would go on where they are, and commit it.
    """
    async with _connected(bootstrap) as (admin, reader):
        places = [
            place
            for place in await _places(admin, reader, wanted.group)
            if wanted.only in (None, place.tp.topic, f"{place.tp.topic}/{place.tp.partition}")
        ]
        if not places:
            raise CannotDo(f"{wanted.group} has no such partition; see `relance offsets show`.")
        if members := await _members(admin, wanted.group):
            raise CannotDo(
                f"{wanted.group} has members ({', '.join(members)}): stop the service first, or "
                "it goes on where it is. One that has just ended is counted until its session has "
                "run out: half a minute."
            )
        targets = {place.tp: await _target(wanted.to, place, reader) for place in places}
        lines = [
            f"  {p.tp.topic}/{p.tp.partition}: {p.committed} -> {targets[p.tp]}{_means(p, targets)}"
            for p in places
        ]
        if not for_real:
            return "\n".join([*lines, "", "Nothing has changed yet: add --yes to do it."])
    await _commit(wanted.group, targets, bootstrap)
    return "\n".join([*lines, "", "Done. Start the service again."])


def _means(place: Place, targets: dict[TopicPartition, int]) -> str:
    """What people should know before they say yes."""
    more = targets[place.tp] - place.committed
    if more > 0:
        return f"  (skips {counted(more, 'record')})"
    return f"  (reads {-more} again; repeats have no effect)" if more else ""


async def _target(to: str, place: Place, reader: AIOKafkaConsumer) -> int:
    if to in ("earliest", "latest"):
        return place.kept.begins if to == "earliest" else place.kept.ends
    if to.isdigit():
        offset = int(to)
    else:
        try:
            at = datetime.fromisoformat(to)
        except ValueError:
            raise CannotDo(
                f"{to!r} is no place: write earliest, latest, an offset, or a time such as "
                "2026-03-02T10:00:00+01:00."
            ) from None
        if at.tzinfo is None:
            raise CannotDo(f"{to!r} has no UTC offset: write 2026-03-02T10:00:00+01:00.")
        found = await reader.offsets_for_times({place.tp: int(at.timestamp() * 1000)})
        offset = found[place.tp].offset if found.get(place.tp) else place.kept.ends
    return min(max(offset, place.kept.begins), place.kept.ends)


async def _commit(group: str, targets: dict[TopicPartition, int], bootstrap: str) -> None:
    client = AIOKafkaConsumer(
        **kafka.connection(Settings.read().model_copy(update={"kafka": bootstrap})),
        group_id=group,
        enable_auto_commit=False,
    )
    await client.start()
    try:
        client.assign(list(targets))
        await client.commit(targets)
    finally:
        await client.stop()


async def _places(admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer, group: str) -> list[Place]:
    offsets = await admin.list_consumer_group_offsets(group)
    known = sorted((tp, meta.offset) for tp, meta in offsets.items() if meta.offset >= 0)
    if not known:
        raise CannotDo(f"{group} has read nothing yet; `relance offsets show` lists the groups.")
    partitions = [tp for tp, _ in known]
    begins = await reader.beginning_offsets(partitions)
    ends = await reader.end_offsets(partitions)
    return [Place(tp, at, Range(begins[tp], ends[tp])) for tp, at in known]


async def _groups(admin: AIOKafkaAdminClient) -> list[str]:
    return sorted(name for name, *_ in await admin.list_consumer_groups())


async def _members(admin: AIOKafkaAdminClient, group: str) -> list[str]:
    (answer,) = await admin.describe_consumer_groups([group])
    return [member[1] for described in answer.groups for member in described[5]]


@asynccontextmanager
async def _connected(bootstrap: str) -> AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]:
    settings = Settings.read().model_copy(update={"kafka": bootstrap})
    admin, reader = kafka.admin(settings), kafka.reader(settings)
    try:
        await admin.start()
        await reader.start()
        yield admin, reader
    except (KafkaError, OSError) as error:
        raise CannotDo(
            await refusal(settings)
            or f"Kafka does not answer at {bootstrap} ({error}); is it running, and is that its "
            "address?"
        ) from error
    finally:
        await reader.stop()
        await admin.close()
