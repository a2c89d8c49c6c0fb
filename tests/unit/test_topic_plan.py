"""What `relance topics apply` would do, before there is a Kafka."""

from dataclasses import replace

from shared.contract.topics import DAY_MS, DIRECTORY, INTAKE
from shared.runtime.topic_plan import Difference, Found, configuration, differences


def found(replicas: int = 3, **settings: str) -> Found:
    given = {name.replace("_", "."): value for name, value in settings.items()}
    return Found(INTAKE.partitions, replicas, configuration(INTAKE, 3) | given)


def planned(there: Found | None) -> list[Difference]:
    return list(differences(INTAKE, 3, there))


def test_a_topic_as_the_table_says_needs_nothing() -> None:
    assert planned(found()) == []


def test_a_missing_topic_is_created_with_what_production_needs() -> None:
    (create,) = planned(None)
    assert create.step == "create: intake.events.v1: 12 partitions, 3 replicas, kept 120 days"


def test_a_change_that_deletes_records_says_so() -> None:
    (change,) = planned(found(retention_ms=str(365 * DAY_MS)))
    assert change.way == "change"
    assert change.setting == ("retention.ms", str(120 * DAY_MS))
    assert change.how.endswith("(deletes what is older than 120 days)")
    (longer,) = planned(found(retention_ms=str(DAY_MS)))
    assert "deletes" not in longer.how


def test_compaction_is_told_as_what_it_is() -> None:
    there = Found(1, 3, configuration(DIRECTORY, 3) | {"cleanup.policy": "delete"})
    (change,) = differences(DIRECTORY, 3, there)
    assert "only the newest record of each key" in change.how


def test_two_in_sync_are_not_asked_of_a_topic_with_one_replica() -> None:
    """Nobody could write to it any more."""
    replicas, in_sync = planned(found(replicas=1, min_insync_replicas="1"))
    assert (replicas.way, in_sync.way) == ("by hand", "by hand")
    assert replicas.sentence == "intake.events.v1 has 1 replica instead of 3"
    assert "stays 1 until there are 2 replicas" in in_sync.how


def test_a_partition_count_is_never_changed() -> None:
    (partitions,) = planned(replace(found(), partitions=6))
    assert partitions.way == "by hand"
    assert "has 6 partitions instead of 12" in partitions.sentence
