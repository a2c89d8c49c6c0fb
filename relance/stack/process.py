"""One child process of the local stack: started, watched, stopped, never orphaned."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.family import POLL_S, descendants, kill_group, send, wait_gone
from relance.stack.leftover import end_leftover, remember
from relance.stack.patience import SERVERS_LIMIT_S

TAIL_LINES = 12
LARGEST_LOG_BYTES = 20 * 1024 * 1024


# The kernel ties "my parent died" to the thread that forked, not to the process: children are
# therefore all born in this one thread, which lives as long as we do.
_nursery = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nursery")
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Account:
    """The user a child runs as, when that is not the user we are."""

    user: int
    group: int


@dataclass
class Child:
    """A program with a log file. It dies with us, and takes its own children along."""

    name: str
    command: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    closed: bool = False  # set while the stack stops: nothing is started any more
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self.process.pid if self.process and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether the program runs now."""
        return self.process is not None and self.process.poll() is None

    @property
    def _pid_file(self) -> Path:
        return self.log.with_suffix(".pid")

    @property
    def exit_code(self) -> int | None:
        """How the program ended (negative: by that signal); None while it runs."""
        return self.process.poll() if self.process else None

    def start(self) -> None:
        """Start the program; raise StackError if it cannot be executed."""
        if self.alive:
            return
        if self.closed:
            raise StackError(f"{self.name} is not started: the stack is being stopped.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.process = _nursery.submit(self._spawn).result()
        remember(self._pid_file, self.process.pid, self.stop_signal)

    def end_leftover(self) -> None:
        """End what an earlier run of us, itself killed, may have left behind under this name."""
        if not self.alive:
            end_leftover(self._pid_file)

    def _spawn(self) -> subprocess.Popen[bytes]:
        account = self.account
        try:
            with self.log.open("ab") as log:
                return subprocess.Popen(
                    [str(part) for part in self.command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=dict(self.environment),
                    cwd=self.folder,
                    start_new_session=True,  # a terminal's Ctrl-C is for us; we then stop in order
                    user=account.user if account else None,
                    group=account.group if account else None,
                    extra_groups=[] if account else None,
                    # Two system calls after the fork and no Python object is made or freed.
                    preexec_fn=_die_with_parent(os.getpid(), self.stop_signal),  # noqa: PLW1509
                )
        except OSError as error:
            raise StackError(f"{self.name} cannot be started: {error}.") from error

    def wait_ready(
        self, check: Callable[[], bool], limit_s: float, every_s: float = POLL_S
    ) -> None:
        """Wait until `check` holds; raise StackError with the end of the log if it never does."""
        limit = time.monotonic() + limit_s
        while not check():
            if not self.alive:
                raise StackError(f"{self.name} ended while starting{self._evidence()}")
            if time.monotonic() > limit:
                raise StackError(f"{self.name} was not ready in {limit_s:.0f} s{self._evidence()}")
            time.sleep(every_s)

    def stop(self, limit_s: float = SERVERS_LIMIT_S) -> None:
        """Ask the program to end, wait for it, and kill it if it does not."""
        if self.process is None:
            return
        if self.alive:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
        kill_group(self.process.pid)
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill the program and all its descendants at once (SIGKILL); return when they are gone."""
        if self.process is None:
            return
        if self.alive:
            # Frozen first, so that it cannot start another child while we list them.
            self.process.send_signal(signal.SIGSTOP)
        family = descendants(self.process.pid)
        kill_group(self.process.pid)
        for pid in family:
            send(pid, signal.SIGKILL)
        self.process.wait()
        wait_gone(family)

    def tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of the log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 64 * 1024))
                text = log.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _evidence(self) -> str:
        return f"; the end of {self.log}:\n{self.tail()}"


def _die_with_parent(parent: int, with_signal: signal.Signals) -> Callable[[], None] | None:
    if _prctl is None:
        return None
    prctl = _prctl

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(with_signal))
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask_kernel
