"""A published rulebook counts everywhere together, and a bad one nowhere (rule 25).

On a broker of its own: whoever else reads this directory would set the bad one aside too.
"""

from collections.abc import AsyncIterator

import pytest

from relance import rulebook_publish
from relance.stack.home import PROJECT
from shared.contract.directory import PublishedRulebook, key_of
from shared.contract.envelope import Envelope
from shared.contract.topics import DIRECTORY
from shared.domain.rulebook.loader import version_of
from shared.runtime.activity import Activity
from shared.runtime.producer import ConfirmedProducer
from tests.stack import AnyKafka, Database, Names
from tests.toy.bench import Bench, until
from tests.toy.event import note
from tests.toy.service import Toy


@pytest.fixture
async def bench(own_kafka: AnyKafka, database: Database, names: Names) -> AsyncIterator[Bench]:
    async with Bench(own_kafka.bootstrap, database.dsn(), names.prefix) as bench:
        yield bench


def _published(old: str = "", new: str = "") -> Envelope:
    """Axelerator's rulebook, with one text in the place of another."""
    document, _ = rulebook_publish.read(PROJECT / "rulebooks" / "axelerator")
    text = document.files["rulebook.toml"]
    assert old in text
    files = {**document.files, "rulebook.toml": text.replace(old, new, 1)}
    changed = document.model_copy(update={"files": files, "id": version_of(files)})
    return note("any").model_copy(
        update={
            "subject": key_of("axelerator", changed),
            "type": changed.type,
            "tenant": "axelerator",
            "data": changed,
        }
    )


async def test_replicas_switch_together_to_what_is_published_and_never_to_a_bad_one(
    bench: Bench,
) -> None:
    replicas = [Toy(bench.name, bench.settings, [bench.source]) for _ in range(2)]
    for replica in replicas:
        await replica.start()
        bench.adopt(replica)
    doors = ConfirmedProducer(bench.settings, Activity())
    await doors.start()

    async def version_at(replica: Toy) -> str | None:
        async with replica.postgres.transaction() as tx:
            company = (await replica.companies(tx)).get("axelerator")
        return company.book.version if company else None

    for published, counts in (
        (_published(), True),
        (_published('max     = "48h"', 'max     = "1h"'), False),
        (_published('default = "2h"', 'default = "3h"'), True),
    ):
        before = await version_at(replicas[0])
        _, offset = await doors.send_event(DIRECTORY, published, published.subject)

        async def has_read(place: int = offset) -> bool:
            read = await replicas[0].postgres.pool.fetchval(
                "select next_record from watermark where topic = $1", DIRECTORY.name
            )
            return read is not None and bool(read > place)

        await until(has_read, "the record")
        assert isinstance(published.data, PublishedRulebook)
        wanted = published.data.id if counts else before
        assert [await version_at(replica) for replica in replicas] == [wanted, wanted]
    await doors.stop()
