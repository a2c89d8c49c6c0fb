"""What the topic table asks of a cluster (`runtime.md` 20, 23)."""

from shared.contract.topics import DIRECTORY, INTAKE, PIPELINE
from shared.runtime.topic_plan import configuration


def test_acknowledged_means_on_two_brokers_or_on_the_disk_of_the_only_one() -> None:
    alone, in_production = configuration(INTAKE, 1), configuration(INTAKE, 3)
    assert (alone["min.insync.replicas"], alone["flush.messages"]) == ("1", "1")
    assert in_production["min.insync.replicas"] == "2"
    assert "flush.messages" not in in_production
    assert "flush.messages" not in configuration(PIPELINE, 1), "the outbox still has its rows"


def test_the_directory_is_never_forgotten() -> None:
    assert configuration(DIRECTORY, 3)["cleanup.policy"] == "compact"
    assert "retention.ms" not in configuration(DIRECTORY, 3)
