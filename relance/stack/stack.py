"""The whole system on one machine: Kafka, PostgreSQL, caught mail and the four services."""

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from time import monotonic
from types import TracebackType

from relance.stack.home import PROJECT, Home
from relance.stack.kafka import Kafka, brokers_of_environment
from relance.stack.kafka_jars import Say
from relance.stack.leftover import end_leftovers
from relance.stack.lock import Lock
from relance.stack.mail import Mail
from relance.stack.port import choose_port
from relance.stack.ports import Ports
from relance.stack.postgres import Postgres
from relance.stack.service import Service
from relance.stack.supervisor import Part
from relance.stack.surroundings import Surroundings

SERVICES = ("intake", "pipeline", "reminders", "notifications")
RULEBOOK = PROJECT / "rulebooks" / "axelerator"


class Stack:
    """Everything a home runs. Use it as a context manager, or `start` and `stop`.

    `services` False leaves the four services out. `clock_file` is the stepping clock's file,
    which must exist. `settings` are further environment variables of a service, by its name.
    `brokers` of Kafka: 1 or 3, else what RELANCE_KAFKA_BROKERS says.
    """

    def __init__(
        self,
        home: Home,
        *,
        services: bool = True,
        clock_file: Path | None = None,
        rulebook: Path = RULEBOOK,
        ports: Ports | None = None,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        brokers: int | None = None,
        say: Say = lambda _line: None,
    ) -> None:
        """Describe the stack; nothing is started. `say` gets a line for each long step."""
        self.home = home
        self.ports = ports or Ports()
        self.kafka = Kafka(home, self.ports.kafka, say, brokers=brokers or brokers_of_environment())
        self.postgres = Postgres(home, self.ports.postgres)
        self.mail = Mail(home, self.ports.mail_smtp, self.ports.mail_page)
        self.services: dict[str, Service] = {}
        self.intake_smtp_port = 0
        self._with_services = services
        self._clock_file = clock_file
        self._rulebook = rulebook
        self._settings = settings or {}
        self._say = say
        self._lock = Lock(home)
        self.took_s: dict[str, float] = {}
        """Seconds of the last start: `setup` of the servers, `start` of the services."""

    def __enter__(self) -> "Stack":
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start everything and wait until all of it is ready; raise StackError and stop if not."""
        self._lock.__enter__()
        for part in self.parts():
            part.child.closed = False
        try:
            end_leftovers(self.home.logs)
            self.ports.check()
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        began = monotonic()
        self._say("Starting Kafka, PostgreSQL and the mail catcher …")
        _together(self.kafka.start, self.postgres.start, self.mail.start)
        from relance.stack.topics import create_missing_topics  # noqa: PLC0415 - slow to import

        create_missing_topics(self.kafka.bootstrap, self.kafka.replication)
        ready = monotonic()
        self.took_s["setup"] = ready - began
        if not self._with_services:
            return
        self._say("Starting intake, pipeline, reminders and notifications …")
        self._describe_services()
        for service in self.services.values():
            service.launch()
        for service in self.services.values():
            service.wait_ready()
        self.took_s["start"] = monotonic() - ready

    def stop(self) -> None:
        """Stop everything in the reverse order; data and logs stay."""
        for part in self.parts():
            part.child.closed = True  # a start that is still under way must not go on
        try:
            _together(*(service.stop for service in self.services.values()))
            _together(self.mail.stop, self.kafka.stop, self.postgres.stop)
        finally:
            self._lock.__exit__(None, None, None)

    def kill(self) -> None:
        """Kill everything at once (SIGKILL)."""
        for part in self.parts():
            part.child.closed = True
            part.child.kill()
        self._lock.__exit__(None, None, None)

    def parts(self) -> list[Part]:
        """Return the programs of the stack, in the order in which they start."""
        return [*self.kafka.brokers, self.postgres, self.mail, *self.services.values()]

    def _describe_services(self) -> None:
        if self.services:
            return
        for name in SERVICES:
            self.services[name] = Service(name, self.home, getattr(self.ports, name))
        self.intake_smtp_port = choose_port(self.ports.intake_smtp, "mail to intake")
        around = Surroundings(
            kafka=self.kafka.bootstrap,
            kafka_replication=self.kafka.replication,
            intake_url=self.services["intake"].url,
            pipeline_url=self.services["pipeline"].url,
            intake_smtp_port=self.intake_smtp_port,
            mail_smtp_port=self.mail.smtp_port,
            rulebook=self._rulebook,
            clock_file=self._clock_file,
        )
        for name, service in self.services.items():
            told = around.settings(name, service.url, self.postgres.dsn(name))
            service.settings = told | dict(self._settings.get(name, {}))
            service.defaults = around.secrets(name)


def _together(*steps: Callable[[], None]) -> None:
    """Run the steps at the same time; raise the first error, or KeyboardInterrupt at once."""
    if not steps:
        return
    threads = ThreadPoolExecutor(len(steps))
    try:
        running = [threads.submit(step) for step in steps]
        wait(running, return_when=FIRST_EXCEPTION)
    finally:
        threads.shutdown(wait=False)
    for step in running:
        if step.done():
            step.result()
