"""Pipeline reading a topic like `intake.events.v1` with another number of partitions.

Run as `python -m benchmarks.partitioned` with that number in BENCH_PARTITIONS.
"""

from __future__ import annotations

import os
from dataclasses import replace

from services.pipeline.app import create
from services.pipeline.settings import PipelineSettings
from shared.contract.topics import INTAKE, Topic
from shared.runtime.service import Service, run

MODULE = "benchmarks.partitioned"
NUMBER = "BENCH_PARTITIONS"
TOPICS: dict[int, Topic] = {
    many: replace(INTAKE, name=f"bench-{many}.events.v1", partitions=many) for many in (4, 12, 48)
}


def create_partitioned(settings: PipelineSettings) -> Service:
    """The service, its input replaced."""
    service = create(settings)
    topic = TOPICS[int(os.environ[NUMBER])]
    service.subscriptions[:] = [
        replace(subscription, topic=topic) if subscription.topic == INTAKE else subscription
        for subscription in service.subscriptions
    ]
    return service


if __name__ == "__main__":
    run(create_partitioned, PipelineSettings)
