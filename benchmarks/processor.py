"""What processes cost: CPU time and memory, as Linux counts them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from relance.stack.family import descendants

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds that these processes and all below them have used so far."""
    return sum(map(_ticks, _families(pids))) / _TICKS_A_SECOND


def memory_mb(pids: Iterable[int]) -> float:
    """Memory of these processes and all below them; what several share counts once (PSS)."""
    return sum(map(_pss_kb, _families(pids))) / 1024


def _families(pids: Iterable[int]) -> set[int]:
    return {member for pid in pids for member in (pid, *descendants(pid))}


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0
    return int(fields[11]) + int(fields[12])


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
