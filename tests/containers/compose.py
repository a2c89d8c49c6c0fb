"""`docker compose` on this checkout, under a name and on ports that nobody else uses."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from dataclasses import dataclass, field

import pytest

from relance.stack.home import PROJECT
from relance.stack.port import free_port

PORTS = (
    "INTAKE",
    "PIPELINE",
    "REMINDERS",
    "NOTIFICATIONS",
    "MAIL",
    "INTAKE_SMTP",
    "KAFKA",
    "POSTGRES",
)
SECRET = "a-secret-of-this-test"


def require_docker() -> None:
    """Skip the test where there is no Docker to run it."""
    try:
        done = subprocess.run(
            ["docker", "compose", "ls"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("Docker is not installed here")
    if done.returncode:
        pytest.skip(f"Docker does not run here: {done.stderr.strip()[-200:]}")


@dataclass
class Compose:
    """The system of docker-compose.yml; its commands raise with what Docker said."""

    project: str = field(default_factory=lambda: f"relance-test-{uuid.uuid4().hex[:8]}")
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})

    def run(self, *arguments: str, limit_s: float = 540) -> str:
        """Run a command of compose and return what it printed."""
        done = subprocess.run(
            ["docker", "compose", "-p", self.project, *arguments],
            cwd=PROJECT,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def up(self) -> None:
        """Build, and start everything in its order."""
        self.run("up", "--build", "--detach")

    def down(self, *options: str) -> None:
        """Stop and remove the containers; the data stays without `--volumes`."""
        self.run("down", *options)

    def containers(self) -> dict[str, dict[str, str]]:
        """What `ps` tells of each service, those that ended too."""
        lines = self.run("ps", "--all", "--format", "json").splitlines()
        return {each["Service"]: each for each in map(json.loads, lines)}

    def url(self, name: str) -> str:
        """Where a service's HTTP is reached from here."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def _environment(self) -> dict[str, str]:
        """Ours, without what would reach into the containers from this shell."""
        kept = {name: value for name, value in os.environ.items() if "RELANCE" not in name}
        ports = {f"RELANCE_{name}_PORT": str(port) for name, port in self.ports.items()}
        return kept | ports | {"RELANCE_SECRET_PHONE": SECRET, "RELANCE_DB_PASSWORD": SECRET}
