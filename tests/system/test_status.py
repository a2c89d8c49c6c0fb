"""`relance status`: one screen that tells what is wrong even when half of it is down."""

import asyncio
import json

from relance.stack.stack import Stack
from relance.status import WIDTH, Status, as_data, as_text, status
from tests.stack import stack

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
