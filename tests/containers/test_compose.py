"""The whole system in containers, as somebody meets it who has Docker: `make containers`."""

import json
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from tests.containers.compose import SECRET, Compose, require_docker

T = TypeVar("T")
LIMIT_S = 120
OURS = ("intake", "pipeline", "reminders", "notifications", "mail")

pytestmark = pytest.mark.containers


@pytest.fixture
def compose() -> Iterator[Compose]:
    require_docker()
    system = Compose()
    yield system
    system.down("--volumes", "--remove-orphans", "--timeout", "10")


def until(found: Callable[[], T]) -> T:
    limit = time.monotonic() + LIMIT_S
    while not (what := found()):
        assert time.monotonic() < limit, "it never came to be"
        time.sleep(0.2)
    return what


def missed_call(compose: Compose, phone: str) -> None:
    call = {"call_id": uuid.uuid4().hex, "from": phone, "status": "missed"}
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"{compose.url('INTAKE')}/in/phone", json.dumps(call).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 202


def sms(compose: Compose) -> list[str]:
    try:
        page = f"{compose.url('NOTIFICATIONS')}/sandbox/messages"
        with urllib.request.urlopen(page, timeout=20) as answer:
            said: list[dict[str, Any]] = json.load(answer)
    except OSError:  # not up yet
        return []
    return [message["text"] for message in said]


def is_open(compose: Compose) -> bool:
    """Whether all that serves is healthy, and what runs once has ended well."""
    found = compose.containers()
    example = found["example"]
    assert example["State"] != "exited" or str(example["ExitCode"]) == "0", example
    return example["State"] == "exited" and all(
        found[name]["Health"] == "healthy" for name in (*OURS, "kafka", "postgres")
    )


def test_a_missed_call_becomes_an_sms_and_a_restart_keeps_it(compose: Compose) -> None:
    compose.up()
    until(lambda: is_open(compose))
    missed_call(compose, "+375 29 123-45-67")
    (told,) = until(lambda: sms(compose))
    assert "+375291234567" in told

    # As little as possible may be done in there by somebody who broke in.
    inside = compose.run("exec", "-T", "pipeline", "sh", "-c", "id -u; ! touch /app/x 2>/dev/null")
    assert inside.split() == ["10001"]

    compose.run("stop")
    ended = compose.containers()
    assert {name: str(ended[name]["ExitCode"]) for name in OURS} == dict.fromkeys(OURS, "0")
    compose.down()
    assert compose.containers() == {}

    compose.up()
    until(lambda: is_open(compose))
    assert sms(compose) == [told]
    missed_call(compose, "+375 29 765-43-21")
    until(lambda: len(sms(compose)) == 2)

    books = ("--mail-url", "http://mail:8404", "--sms-url", "http://notifications:8403")
    until(lambda: at_rest(compose))
    report = json.loads(compose.run("run", "--rm", "relance", "audit", "--json", *books))
    assert report["findings"] == []


def at_rest(compose: Compose) -> bool:
    """Whether both owners were told by e-mail too."""
    with urllib.request.urlopen(f"{compose.url('MAIL')}/api/messages", timeout=20) as answer:
        return len(json.load(answer)) == 2
