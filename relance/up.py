"""`relance up`: the whole stack left running for a person, on real time."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from relance.directory import DirectoryError
from relance.example_company import open_example
from relance.stack.error import StackError
from relance.stack.home import Home
from relance.stack.ports import Ports
from relance.stack.stack import RULEBOOK, Stack
from relance.stack.supervisor import Supervisor
from shared.domain.rulebook.loader import RulebookError
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime import rulebook_folder
from shared.runtime.settings import WrongSetting

LOOK_EVERY_S = 0.2
SAME_REQUEST_S = 0.5
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up() -> int:
    """Run the stack until Ctrl-C; return the exit code (0: stopped as asked, 1: not started)."""
    began = time.monotonic()
    try:
        folder = Path(os.environ.get("RELANCE_RULEBOOK") or RULEBOOK).resolve()
        stack = Stack(
            Home.of_checkout(),
            rulebook=folder,
            ports=Ports.of_environment(),
            settings={"notifications": _sender(rulebook_folder.read(folder))},
            say=_say,
        )
        _Interrupt(stack)
        with stack:
            _open_example(stack, folder)
            _say(_welcome(stack, time.monotonic() - began))
            _watch(stack)
    except (StackError, RulebookError, WrongSetting) as error:
        sys.stderr.write(f"relance: {error}\n")
        return 1
    except KeyboardInterrupt:
        _say(f"Stopped. The data is kept in {stack.home.folder}; `make up` goes on from there.")
    return 0


def _sender(book: Rulebook) -> dict[str, str]:
    """Our mail comes from the company's own mailbox, so that an answer to it comes in there."""
    mailbox = next((source.mailbox for source in book.sources.source if source.mailbox), None)
    sender = os.environ.get("RELANCE_SMTP_FROM") or mailbox
    return {"RELANCE_SMTP_FROM": sender} if sender else {}


class _Interrupt:
    """The first Ctrl-C (or SIGTERM) ends everything in order, the second one kills it.

    One that comes at once after the first is the same: make hands on what we have got already.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._asked_at: float | None = None
        for number in _SIGNALS:
            # Said explicitly: a shell that runs us in the background has SIGINT ignored.
            signal.signal(number, self._came)

    def _came(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked_at is not None:
            if time.monotonic() - self._asked_at < SAME_REQUEST_S:
                return
            self._stack.kill()
            _say("Killed.")
            os._exit(130)
        self._asked_at = time.monotonic()
        _say("\nStopping everything (Ctrl-C again kills it) …")
        raise KeyboardInterrupt


def _open_example(stack: Stack, rulebook: Path) -> None:
    intake = stack.services["intake"]
    try:
        opened = open_example(rulebook, intake.url, intake.setting("RELANCE_ADMIN_KEY"))
    except DirectoryError as error:
        _say(f"The example company was not opened: {error}")
    else:
        if opened:
            _say(f"Opened the example company of {rulebook.name}, day and night for this try.")


def _watch(stack: Stack) -> None:
    supervisor = Supervisor(stack.parts(), _say)
    pause = threading.Event()
    while True:
        supervisor.look()
        pause.wait(LOOK_EVERY_S)


def _welcome(stack: Stack, seconds: float) -> str:
    intake, pipeline = stack.services["intake"].url, stack.services["pipeline"].url
    notifications = stack.services["notifications"].url
    secret = stack.services["intake"].setting("RELANCE_SECRET_PHONE")
    return f"""
Relance is up ({seconds:.1f} s). Ctrl-C stops it and keeps the data.

  SMS that would be sent      {notifications}/sandbox
  e-mail that was sent        {stack.mail.url}
  a web form to fill in       {intake}/in/site/form
  the doors, described        {intake}/docs
  what agents use, described  {pipeline}/docs

  Kafka       {stack.kafka.bootstrap}
  PostgreSQL  {stack.postgres.dsn()}
  SMTP door   127.0.0.1:{stack.intake_smtp_port}
  logs        {stack.home.logs}

Somebody called and nobody answered; look at the SMS page a second later:

  curl -i {intake}/in/phone \\
    -H 'Authorization: Bearer {secret}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"call_id": "'$RANDOM$RANDOM'",
         "from": "+375 29 123-45-67", "status": "missed"}}'

Why it happened, in another terminal (the lead's number is in its e-mail):

  .venv/bin/relance explain NUMBER
"""


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal was closed: stopping in order matters more
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
