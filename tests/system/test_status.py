"""`relance status`: one screen that tells what is wrong even when half of it is down."""

import asyncio
import json
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from relance import rulebook_publish
from relance.stack.stack import RULEBOOK, Stack
from relance.status import WIDTH, Status, as_data, as_text, status
from shared.contract.directory import key_of
from shared.contract.envelope import Envelope
from shared.contract.topics import DIRECTORY
from tests.stack import stack
from tests.system.test_local_stack import until

__all__ = ["stack"]


def seen_on(stack: Stack) -> Status:
    urls = {name: service.url for name, service in stack.services.items()}
    return asyncio.run(status(urls, stack.kafka.bootstrap, stack.postgres.dsn()))


def test_all_is_well_on_one_screen(stack: Stack) -> None:
    seen = seen_on(stack)

    assert seen.ok
    text = as_text(seen)
    assert text.startswith("Everything answers.")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert len(text.splitlines()) <= 40
    assert json.loads(json.dumps(as_data(seen)))["services"][2]["numbers"]["armed"] == 0


def test_a_service_that_is_down_is_named_and_the_others_are_shown_all_the_same(
    stack: Stack,
) -> None:
    stack.services["reminders"].kill()
    try:
        seen = seen_on(stack)
    finally:
        stack.services["reminders"].start()

    assert not seen.ok
    down = [service.name for service in seen.services if service.live != "live"]
    assert down == ["reminders"]
    assert "no answer at http://" in as_text(seen)
    assert {s.name: s.ready for s in seen.services}["pipeline"] == "ready"


def test_a_rulebook_that_was_published_and_cannot_be_used_is_seen_at_once(stack: Stack) -> None:
    """By a hand, or by an intake of another release: ours would not publish it."""
    document, book = rulebook_publish.read(RULEBOOK)
    bad = document.model_copy(update={"id": "0badc0de", "files": {"rulebook.toml": "x = 1"}})
    key = key_of(book.tenant, bad)
    event = Envelope(
        id="b0000000-0000-5000-8000-000000000001", source="/intake", type=bad.type, subject=key,
        time=datetime.now(UTC), tenant=book.tenant, data=bad,
    )  # fmt: skip

    async def published() -> None:
        async with AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap) as producer:
            await producer.send_and_wait(DIRECTORY.name, event.to_bytes(), key=key.encode())

    asyncio.run(published())
    until(lambda: all(each.rulebooks.refused for each in seen_on(stack).services[1:]))
    told = as_text(seen_on(stack))
    assert f"{book.tenant} {book.version}" in told
    words = " ".join(told.split())
    assert f"! rulebook {book.tenant} 0badc0de was published and set aside by pipeline" in words
    assert "nobody knows this key" in words
    assert told.index("! rulebook") < told.index("rulebook      axelerator")
    assert max(map(len, told.splitlines())) <= WIDTH
