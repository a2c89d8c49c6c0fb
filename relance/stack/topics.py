"""The topics of the table on a local broker."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from shared.runtime import topics
from shared.runtime.settings import Settings


def create_missing_topics(bootstrap: str, replication: int = 1) -> None:
    """Create what the table names and the broker lacks; blocks until each has its leader."""
    settings = Settings(kafka=bootstrap, kafka_security="PLAINTEXT", kafka_replication=replication)
    # In a thread of its own, because a test's event loop may already run in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(topics.apply(settings))).result()
