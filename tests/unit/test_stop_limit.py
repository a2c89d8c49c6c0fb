"""Whoever kills a service that does not stop waits longer than its own deadline."""

import re
import signal
import sys
import time
from pathlib import Path

import pytest

from relance.stack.home import PROJECT, Home
from relance.stack.patience import SPARE_S, STACK_LIMIT_S, STOP_LIMIT_S, stop_limit_s
from relance.stack.service import Service
from shared.runtime.settings import STOP_DEADLINE_S, Settings

USES_ITS_DEADLINE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(float(sys.argv[1])), sys.exit(7)))
print("ready", flush=True)
signal.pause()
"""


def test_the_stack_waits_longer_than_a_service_takes_to_stop() -> None:
    assert Settings.model_fields["stop_deadline_s"].default == STOP_DEADLINE_S
    assert STOP_LIMIT_S >= STOP_DEADLINE_S + SPARE_S
    assert stop_limit_s("") == STOP_LIMIT_S
    assert stop_limit_s("40") == 40 + SPARE_S
    assert stop_limit_s("soon") == STOP_LIMIT_S
    assert STACK_LIMIT_S > STOP_LIMIT_S


def test_docker_waits_longer_too() -> None:
    compose = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
    ours = compose.partition("x-ours: &ours\n")[2].partition("\n\n")[0]
    (grace_s,) = re.findall(r"^  stop_grace_period: (\d+)s$", ours, re.MULTILINE)

    assert int(grace_s) >= STOP_LIMIT_S
    assert compose.count("stop_grace_period") == 1
    for name in ("intake", "pipeline", "reminders", "notifications"):
        assert f"\n  {name}:\n    <<: *ours\n" in compose


def test_a_service_that_needs_all_of_its_deadline_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELANCE_STOP_DEADLINE_S", "0.3")
    service = Service("pipeline", Home(tmp_path))
    service.child.command = [sys.executable, "-c", USES_ITS_DEADLINE, "0.3"]
    service.launch()
    limit = time.monotonic() + 20
    while "ready" not in service.log():
        assert time.monotonic() < limit
        time.sleep(0.02)

    service.stop()

    assert service.child.exit_code == 7, f"killed: {-signal.SIGKILL}"
