"""What a killed run left behind: found again by a file, and ended before the next run.

On Linux the kernel ends our children with us; they still need a moment, and macOS does not.
"""

import signal
from pathlib import Path

from relance.stack.family import command_line, descendants, send, wait_gone
from relance.stack.patience import STOP_LIMIT_S


def remember(file: Path, pid: int, stop_signal: signal.Signals) -> None:
    """Note which process runs, and how it is asked to end."""
    file.write_text(f"{pid}\n{int(stop_signal)}\n{command_line(pid)}")


def end_leftovers(folder: Path) -> None:
    """End all processes that files of `folder` remember."""
    for file in sorted(folder.glob("*.pid")):
        end_leftover(file)


def end_leftover(file: Path) -> None:
    """End the process that `file` remembers, if that very one still runs."""
    try:
        pid, stop_signal, command = file.read_text().split("\n", 2)
    except (OSError, ValueError):
        return
    # The same number may be another program's by now.
    if command and command_line(int(pid)) == command:
        family = [int(pid), *descendants(int(pid))]
        send(int(pid), signal.Signals(int(stop_signal)))
        if not wait_gone(family[:1], STOP_LIMIT_S):
            for member in family:
                send(member, signal.SIGKILL)
            wait_gone(family)
    file.unlink(missing_ok=True)
