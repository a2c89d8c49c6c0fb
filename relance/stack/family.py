"""The machine's processes: who descends from whom, and how they are ended."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

POLL_S = 0.02


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below `pid`, nearest first."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents().items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    front = [pid]
    while front:
        front = [child for parent in front for child in children.get(parent, [])]
        found += front
    return found


def command_line(pid: int) -> str:
    """Return the command line of a process, or nothing if there is no such process."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            return ""
    return _ps("-p", str(pid), "-o", "command=").strip()


def send(pid: int, what: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return


@contextmanager
def frozen(pid: int, limit_s: float = 5) -> Iterator[None]:
    """Keep a process stopped (SIGSTOP), all its threads, until the block ends.

    The signal alone is not enough: a thread on another processor runs on for a moment, and a
    server can still answer in it.
    """
    os.kill(pid, signal.SIGSTOP)
    try:
        limit = time.monotonic() + limit_s
        while not _all_stopped(pid) and time.monotonic() < limit:
            time.sleep(POLL_S / 10)
        yield
    finally:
        send(pid, signal.SIGCONT)


def kill_group(pid: int) -> None:
    """Kill the process group that `pid` leads, as far as it is there."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone (macOS says the latter for zombies)
        return


def wait_gone(pids: Sequence[int], limit_s: float = 10) -> bool:
    """Wait until none of the processes is there; say whether that came to be."""
    limit = time.monotonic() + limit_s
    while any(map(_exists, pids)):
        if time.monotonic() > limit:
            return False
        time.sleep(POLL_S)
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    return _state(Path(f"/proc/{pid}/stat")) == "Z"


def _all_stopped(pid: int) -> bool:
    """Say whether no thread of the process runs (without /proc: what `ps` says of it)."""
    threads = list(Path(f"/proc/{pid}/task").glob("*/stat"))
    if not threads:
        return _ps("-p", str(pid), "-o", "state=").strip().startswith("T")
    return all(_state(stat) in ("T", None) for stat in threads)


def _state(stat: Path) -> str | None:
    """Return the state letter of a process or thread, None if it is gone."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return None


def _parents() -> dict[int, int]:
    if not Path("/proc/self/stat").exists():
        return {int(pid): int(parent) for pid, parent in map(str.split, _ps_lines())}
    parents = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - thousands of names, no Path objects needed
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_text(errors="replace")
            except OSError:
                continue  # ended while we read
            parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    return parents


def _ps_lines() -> list[str]:
    return _ps("-A", "-o", "pid=,ppid=").splitlines()


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
