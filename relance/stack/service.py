"""One of the four services as a child of the stack."""

import os
import sys
import urllib.error
import urllib.request

from relance.stack.home import PROJECT, Home
from relance.stack.patience import stop_limit_s
from relance.stack.port import LOOPBACK, choose_port
from relance.stack.process import Child

READY_LIMIT_S = 120  # they give up themselves, with a sentence, when a dependency stays away


class Service:
    """A service with its HTTP port; it can be killed and started again under load."""

    def __init__(self, name: str, home: Home, port: int = 0) -> None:
        """Describe the service; `port` 0 takes any free port once and keeps it."""
        self.name = name
        self.port = choose_port(port, name)
        self.child = Child(name, [], home.log(name), folder=PROJECT)
        self.child.command = [sys.executable, "-m", f"services.{name}"]
        self.settings: dict[str, str] = {}  # count always
        self.defaults: dict[str, str] = {}  # count where the environment says nothing

    @property
    def url(self) -> str:
        """Where it answers HTTP."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self.child.pid

    @property
    def ready(self) -> bool:
        """Whether it says of itself that it can work."""
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=5) as answer:  # noqa: S310 - ours
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def start(self) -> None:
        """Start it and wait until it is ready; raise StackError with the end of its log."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it without waiting."""
        self.child.environment = self._environment()
        self.child.end_leftover()
        self.child.start()

    def wait_ready(self, limit_s: float = READY_LIMIT_S) -> None:
        """Wait until it is ready; raise StackError with the end of its log."""
        self.child.wait_ready(lambda: self.ready, limit_s, every_s=0.1)

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and kill it if it has not well after its own deadline."""
        self.child.stop(stop_limit_s(self.setting("RELANCE_STOP_DEADLINE_S")))

    def kill(self) -> None:
        """Kill it at once (SIGKILL)."""
        self.child.kill()

    def log(self) -> str:
        """Return all it has logged."""
        return self.child.log.read_text(errors="replace") if self.child.log.exists() else ""

    def setting(self, name: str) -> str:
        """Return the value of an environment variable as the service sees it; empty if unset."""
        return self._environment().get(name, "")

    def _environment(self) -> dict[str, str]:
        """Return ours, so that a person's own provider counts, and what the stack says."""
        ours = {name: value for name, value in os.environ.items() if name != "RELANCE_CLOCK_FILE"}
        return {**self.defaults, **ours, **self.settings}
