import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relance.stack.error import StackError
from relance.stack.family import descendants
from relance.stack.home import Home
from relance.stack.leftover import end_leftovers
from relance.stack.lock import Lock, holder, stop_holder
from relance.stack.port import choose_port, free_port
from relance.stack.process import Child

FOREVER = "import signal; signal.pause()"


def until(true: Callable[[], object], limit_s: float = 10) -> None:
    limit = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < limit, "it never came to be"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    made = Child("sleeper", [sys.executable, "-c", FOREVER], tmp_path / "sleeper.log")
    yield made
    made.kill()


def test_a_killed_child_takes_its_own_children_along(child: Child) -> None:
    spawn = "import subprocess, sys, signal; subprocess.Popen([sys.executable, '-c', sys.argv[1]])"
    child.command = [sys.executable, "-c", f"{spawn}; signal.pause()", FOREVER]
    child.start()
    assert child.pid
    pid = child.pid
    until(lambda: descendants(pid))
    family = descendants(pid)
    child.kill()
    assert not any(map(runs, [pid, *family]))


def test_a_child_that_ignores_the_request_to_end_is_killed(child: Child) -> None:
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True)"
    child.command = [sys.executable, "-c", f"{deaf}; signal.pause(); signal.pause()"]
    child.start()
    until(lambda: "deaf" in child.tail())
    child.stop(limit_s=0.2)
    assert child.exit_code == -signal.SIGKILL


def test_a_child_that_ends_while_starting_shows_the_end_of_its_log(child: Child) -> None:
    child.command = [sys.executable, "-c", "print('the disk is on fire'); raise SystemExit(3)"]
    child.start()
    with pytest.raises(StackError, match=r"(?s)sleeper ended while starting.*disk is on fire"):
        child.wait_ready(lambda: False, 10)


def test_a_program_that_is_not_there_is_told_in_a_sentence(child: Child) -> None:
    child.command = ["/nowhere/at/all"]
    with pytest.raises(StackError, match="sleeper cannot be started"):
        child.start()


PARENT = f"""
import signal, sys, time
from pathlib import Path
from relance.stack.process import Child
child = Child("orphan", [sys.executable, "-c", {FOREVER!r}], Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""


def test_children_end_when_we_are_killed(tmp_path: Path) -> None:
    log = tmp_path / "orphan.log"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, log], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        orphan = int(parent.stdout.readline())
        parent.kill()
    if sys.platform != "linux":  # there the next run ends them
        end_leftovers(tmp_path)
    until(lambda: not runs(orphan))


def test_what_a_killed_run_left_behind_is_ended_by_the_next(child: Child) -> None:
    child.start()
    assert child.pid
    pid = child.pid
    end_leftovers(child.log.parent)
    until(lambda: not child.alive)
    assert not runs(pid)


def test_a_busy_port_is_told_with_who_holds_it() -> None:
    with closing(socket.socket()) as held:
        port = free_port()
        held.bind(("127.0.0.1", port))
        held.listen()
        with pytest.raises(StackError, match=rf"Port {port}, wanted for Kafka, is held by") as told:
            choose_port(port, "Kafka")
    assert "RELANCE_PORT_BASE" in str(told.value)
    if sys.platform == "linux":
        assert f"process {os.getpid()}" in str(told.value)


HOLDER = """
import signal, sys, time
from pathlib import Path
from relance.stack.home import Home
from relance.stack.lock import Lock
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job
with Lock(Home(Path(sys.argv[1]))):
    try:
        print("held", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""


def test_a_second_stack_of_a_home_is_refused_and_the_first_can_be_ended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout
        first.stdout.readline()
        with pytest.raises(StackError, match=f"already runs .process {first.pid}"):
            Lock(home).__enter__()
        stop_holder(home)
        assert first.wait(10) == 0
    assert holder(home) is None
    with Lock(home):
        assert holder(home) == os.getpid()


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relance.stack.home.LEAST_FREE_BYTES", 2**60)
    with pytest.raises(StackError, match=r"MB are free on the disk .* RELANCE_HOME"):
        Home(tmp_path).prepare()


def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match=r"cannot be used .* RELANCE_HOME"):
        Home(tmp_path / "file" / "below").prepare()
