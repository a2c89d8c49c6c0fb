"""The mail catcher as a child of the stack: mail goes in by SMTP and is seen on a page.

`python -m relance.stack.mail --smtp-port N --http-port N --folder F` is the child itself.
"""

import argparse
import asyncio
import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

from relance.stack.home import PROJECT, Home
from relance.stack.mail_behaviour import Behaviour
from relance.stack.port import LOOPBACK, answers, choose_port
from relance.stack.process import Child


class Mail:
    """The mail catcher of a home: an SMTP port and an HTTP port of this machine."""

    def __init__(self, home: Home, smtp_port: int = 0, http_port: int = 0) -> None:
        """Describe it; port 0 takes any free port at the first start and keeps it."""
        self.home = home
        self.smtp_port = smtp_port
        self.http_port = http_port
        self.child = Child("mail", [], home.log("mail"), folder=PROJECT)

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"http://{LOOPBACK}:{self.http_port}"

    def start(self, limit_s: float = 30) -> None:
        """Start it and wait until both ports accept connections; raise StackError."""
        self.launch()
        self.wait_ready(limit_s)

    def launch(self) -> None:
        """Start it without waiting."""
        if self.child.alive:
            return
        self.home.prepare()
        self.child.end_leftover()
        self.smtp_port = choose_port(self.smtp_port, "caught mail (SMTP)")
        self.http_port = choose_port(self.http_port, "the page of caught mail")
        ports = ["--smtp-port", str(self.smtp_port), "--http-port", str(self.http_port)]
        folder = ["--folder", str(self.home.data("mail"))]
        self.child.command = [sys.executable, "-m", "relance.stack.mail", *ports, *folder]
        self.child.start()

    def wait_ready(self, limit_s: float = 30) -> None:
        """Wait until both ports accept connections; raise StackError if they never do."""
        self.child.wait_ready(lambda: answers(self.smtp_port) and answers(self.http_port), limit_s)

    def stop(self) -> None:
        """Stop it in order; the mail stays."""
        self.child.stop(limit_s=5)

    def kill(self) -> None:
        """Kill it at once (SIGKILL)."""
        self.child.kill()

    def messages(self) -> list[dict[str, Any]]:
        """Return all caught mail, newest first: id, from, to, subject, text, html, headers."""
        caught: list[dict[str, Any]] = json.loads(self._ask("GET", "/api/messages"))
        return caught

    def clear(self) -> None:
        """Throw all caught mail away."""
        self._ask("DELETE", "/api/messages")

    def behave(self, **behaviour: object) -> None:
        """Misbehave from now on as `mail_behaviour.Behaviour` says; without arguments, behave."""
        self._ask("PUT", "/api/behaviour", json.dumps(behaviour).encode())

    @property
    def misbehaves(self) -> bool:
        """Whether it still has something to do wrong; what is counted by `times` runs out."""
        return Behaviour.model_validate_json(self._ask("GET", "/api/behaviour")).is_bad

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, body, method=method)  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            content: bytes = answer.read()
            return content


def _main() -> None:
    from relance.stack.mail_server import serve  # noqa: PLC0415 - only the child needs a server

    parser = argparse.ArgumentParser(description="Catch mail and show it.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--host", default=LOOPBACK)
    given = parser.parse_args()
    asyncio.run(serve(given.smtp_port, given.http_port, given.folder, given.host))


if __name__ == "__main__":
    _main()
