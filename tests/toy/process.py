"""Toys as processes of their own, to be stopped, frozen and killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port of this machine that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    """`python -m module` with settings; its log in `log`."""

    module: str
    settings: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    _child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def child(self) -> subprocess.Popen[bytes]:
        assert self._child is not None, "not started"
        return self._child

    def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start it, without waiting; `more` settings count this time only."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RELANCE_", "TOY_"))}
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", self.module],
                cwd=ROOT,
                env={**kept, **self.settings, **(more or {}), "RELANCE_PORT": str(self.port)},
                stderr=log,
                stdout=log,
            )

    def wait_ready(self, limit_s: float = 60) -> None:
        """Poll until it answers that it is ready."""
        limit = time.monotonic() + limit_s
        while not self._is_ready():
            if self.child.poll() is not None or time.monotonic() > limit:
                raise AssertionError(f"{self.module} is not ready: {self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self, limit_s: float = 20) -> int:
        """SIGTERM; return the exit code."""
        self.child.terminate()
        return self.child.wait(limit_s)

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
