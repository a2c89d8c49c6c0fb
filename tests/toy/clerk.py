"""A clerk: one member of a service that is told of the same leads by Kafka and by HTTP."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter

from shared.contract.envelope import Envelope
from shared.contract.topics import MIB
from shared.runtime import inbox
from shared.runtime.postgres import Transaction
from shared.runtime.service import run
from shared.runtime.settings import Settings
from tests.toy.event import START, note
from tests.toy.service import Toy, toy_topic


def create(settings: Settings) -> Toy:
    """The clerk `TOY_NAME`, who listens to `TOY_READS` and to `POST /leads/{lead}/{key}`."""
    most = int(os.environ.get("TOY_MAX_BYTES", MIB))
    reads = toy_topic(os.environ["TOY_READS"], max_bytes=most)
    clerk = Toy(os.environ["TOY_NAME"], settings, [reads], echo=True)
    router = APIRouter()

    @router.post("/leads/{lead}/{key}")
    async def act(lead: str, key: str) -> bool:
        """Whether this key was new; with the same key it takes effect once."""

        async def work(tx: Transaction) -> tuple[bool, Sequence[Envelope]]:
            if not await inbox.claim(tx, key):
                return False, []
            said = note(lead, "by hand", source=clerk.source, id_=key, time=START)
            await tx.execute(
                "insert into tally (subject, many) values ($1, 1) "
                "on conflict (subject) do update set many = tally.many + 1",
                lead,
            )
            return True, [said.model_copy(update={"time": START + timedelta(hours=1)})]

        return await clerk.unit(work)

    clerk.routers.append(router)
    return clerk


if __name__ == "__main__":
    run(create, Settings)
