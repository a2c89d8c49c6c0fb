"""Who descends from whom among the machine's processes."""

import os
import subprocess
from pathlib import Path


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
