"""One running stack a home: who holds it, and how to end that one."""

import fcntl
import os
import signal
import time
from pathlib import Path
from types import TracebackType

from relance.stack.error import StackError
from relance.stack.family import POLL_S
from relance.stack.home import Home
from relance.stack.patience import STACK_LIMIT_S


class Lock:
    """Held while a stack runs; the kernel gives it back however we end."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._file: int | None = None

    def __enter__(self) -> "Lock":
        """Take it; raise StackError if another process has it."""
        self._home.prepare()
        self._file = os.open(_file(self._home), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _try(self._file):
            os.close(self._file)
            self._file = None
            raise StackError(
                f"A stack of this checkout already runs (process {holder(self._home) or '?'}): "
                "use that one, stop it with Ctrl-C in its terminal, or name another folder "
                "with RELANCE_HOME and other ports with RELANCE_PORT_BASE."
            )
        os.truncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        if self._file is not None:
            os.truncate(self._file, 0)
            os.close(self._file)
            self._file = None


def holder(home: Home) -> int | None:
    """Return the id of the process that runs a stack in `home`, or None."""
    try:
        file = os.open(_file(home), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _try(file):
            return None
        text = os.pread(file, 20, 0).decode()
    finally:
        os.close(file)
    return int(text) if text.isdigit() else None


def stop_holder(home: Home, limit_s: float = STACK_LIMIT_S) -> None:
    """End the stack that runs in `home` as Ctrl-C would; raise StackError if it does not end."""
    pid = holder(home)
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)
    limit = time.monotonic() + limit_s
    while holder(home) == pid:
        if time.monotonic() > limit:
            raise StackError(
                f"The stack of this checkout (process {pid}) did not stop in {limit_s:.0f} s: "
                f"end it with kill -9 {pid} and try again."
            )
        time.sleep(POLL_S)


def _file(home: Home) -> Path:
    return home.folder / "lock"


def _try(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
