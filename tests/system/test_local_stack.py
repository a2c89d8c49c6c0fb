"""The local stack as a person meets it: `relance up`, and a service that is killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from relance.stack.family import descendants
from relance.stack.home import Home
from relance.stack.port import free_port, port_is_busy
from relance.stack.stack import Stack
from tests.stack import temporary_home

T = TypeVar("T")
LIMIT_S = 120  # of a machine that does much else; alone it takes a tenth


def until(found: Callable[[], T], limit_s: float = LIMIT_S) -> T:
    limit = time.monotonic() + limit_s
    while not (what := found()):
        assert time.monotonic() < limit, "it never came to be"
        time.sleep(0.05)
    return what


def texts(sandbox: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{sandbox}/messages", timeout=10) as answer:
        said: list[dict[str, Any]] = json.load(answer)
    return said


def missed_call(intake: str, secret: str, phone: str) -> None:
    call = {"call_id": uuid.uuid4().hex, "from": phone, "status": "missed"}
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{intake}/in/phone", json.dumps(call).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202


def test_a_lead_that_comes_while_pipeline_is_dead_is_told_when_it_is_back(stack: Stack) -> None:
    intake, sandbox = stack.services["intake"], stack.services["notifications"].url + "/sandbox"
    pipeline = stack.services["pipeline"]
    pipeline.kill()
    assert not pipeline.ready
    missed_call(intake.url, intake.setting("RELANCE_SECRET_PHONE"), "+375 29 765-43-21")
    pipeline.start()
    (told,) = until(lambda: texts(sandbox))
    assert "+375297654321" in told["text"]


class Up:
    """`relance up` in a process of its own."""

    def __init__(self, home: Home) -> None:
        self.base = free_port()
        self._environment = dict(os.environ) | {
            "RELANCE_HOME": str(home.folder),
            "RELANCE_PORT_BASE": str(self.base),
        }
        self._output = home.folder / "output"
        self.process = self.run(self._output)

    def run(self, output: Path) -> subprocess.Popen[bytes]:
        with output.open("wb") as file:
            return subprocess.Popen(
                [sys.executable, "-c", "from relance.up import up; raise SystemExit(up())"],
                env=self._environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._output.read_text()

    def has_said(self, text: str) -> bool:
        assert self.process.poll() is None, self.said
        return text in self.said


@pytest.fixture
def up() -> Iterator[Up]:
    home = temporary_home()
    started = Up(home)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()
    home.remove()


def test_up_runs_until_ctrl_c_and_mends_what_dies(up: Up, tmp_path: Path) -> None:
    until(lambda: up.has_said("Relance is up"))
    family = descendants(up.process.pid)

    # The command that it prints is the one to try.
    curl = re.search(r"curl -i (\S+)/in/phone .*?Bearer (\S+)'", up.said, re.DOTALL)
    page = re.search(r"SMS that would be sent\s+(\S+)", up.said)
    assert curl
    assert page
    missed_call(curl[1], curl[2], "+375 29 123-45-67")
    (told,) = until(lambda: texts(page[1]))
    assert "+375291234567" in told["text"]

    second = up.run(tmp_path / "second")
    assert second.wait(LIMIT_S) == 1
    assert f"already runs (process {up.process.pid})" in (tmp_path / "second").read_text()

    reminders = next(pid for pid in family if b"services.reminders" in command(pid))
    os.kill(reminders, signal.SIGKILL)
    until(lambda: up.has_said("reminders ended unexpectedly (killed by signal 9)"))
    until(lambda: up.has_said("reminders runs again"))

    family = descendants(up.process.pid)
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(LIMIT_S) == 0, up.said
    assert "The data is kept" in up.said
    assert not any(Path(f"/proc/{pid}").exists() for pid in family)
    assert not any(port_is_busy(up.base + offset) for offset in range(9))


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
