"""The Kafka of a home: one broker, or three that keep each record twice at least."""

import base64
import json
import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from relance.stack.broker import Broker
from relance.stack.error import StackError
from relance.stack.home import Home
from relance.stack.kafka_guard import Guard
from relance.stack.kafka_jars import Say, kafka_jars
from relance.stack.kafka_settings import Seat
from relance.stack.port import choose_port, free_port
from relance.stack.process import Child
from shared.domain.count import counted

_QUORUM = "__cluster_metadata-0/quorum-state"


class Kafka:
    """One cluster, each broker a process; with one broker, that broker is meant by `pid` and so on.

    `guard` puts TLS and a password at the door.
    """

    def __init__(
        self,
        home: Home,
        port: int = 0,
        say: Say = lambda _line: None,
        *,
        brokers: int = 1,
        guard: Guard | None = None,
    ) -> None:
        """Describe the cluster; `port` (of the first broker) 0 takes any free one and keeps it."""
        self.home = home
        self.guard = guard
        self.brokers = [
            Broker(home, node, port if node == 1 else 0, say) for node in range(1, brokers + 1)
        ]
        self._say = say
        self._is_seated = False

    @property
    def bootstrap(self) -> str:
        """The addresses that clients connect to first."""
        return ",".join(broker.address for broker in self.brokers)

    @property
    def replication(self) -> int:
        """How many replicas a topic has here: as in production where there are brokers enough."""
        return min(3, len(self.brokers))

    @property
    def port(self) -> int:
        """The first broker's port."""
        return self.brokers[0].port

    @property
    def child(self) -> Child:
        """The first broker's process."""
        return self.brokers[0].child

    @property
    def pid(self) -> int | None:
        """The first broker's process id while it runs, else None."""
        return self.brokers[0].pid

    def broker(self, node: int) -> Broker:
        """Return the broker of that number, as Kafka tells who leads a partition."""
        return self.brokers[node - 1]

    def start(self, limit_s: float = 60) -> None:
        """Start it (a new home is formatted first) and wait until it accepts connections.

        Topics and records of earlier runs are there again. Raise StackError if it cannot start.
        """
        self.launch()
        self.wait_ready(limit_s)

    def launch(self) -> None:
        """Start what does not run, without waiting."""
        self._seat()
        self._each(Broker.launch)

    def wait_ready(self, limit_s: float = 60) -> None:
        """Wait until every broker accepts connections; raise StackError if one never does."""
        for broker in self.brokers:
            broker.wait_ready(limit_s)

    def stop(self) -> None:
        """Stop all of it in order."""
        # At once: a broker that is to be the last one finds no other to hand its leads to.
        self._each(Broker.stop)

    def kill(self) -> None:
        """Kill all of it at once (SIGKILL)."""
        self._each(Broker.kill)

    def _each(self, step: Callable[[Broker], None]) -> None:
        with ThreadPoolExecutor(len(self.brokers)) as threads:
            for done in [threads.submit(step, broker) for broker in self.brokers]:
                done.result()

    def _seat(self) -> None:
        """Choose all ports before the first start: each broker is told where the others are."""
        if self._is_seated:
            return
        self.home.prepare()
        self._refuse_other_size()
        kafka_jars(self._say)  # fetched once, not by each broker
        for broker in self.brokers:
            broker.child.end_leftover()  # which may hold the port
        cluster_id = self._cluster_id()
        controllers = [free_port() for _ in self.brokers]
        for broker in self.brokers:
            port = choose_port(broker.port, "Kafka")
            seat = Seat(broker.node, port, controllers, free_port(), self.guard)
            broker.seat(seat, cluster_id)
        self._is_seated = True

    def _refuse_other_size(self) -> None:
        """A controller knows how many voters there are: their number cannot just change."""
        made = next(map(_voters, self.home.data("").glob(f"kafka*/{_QUORUM}")), 0)
        if made and made != len(self.brokers):
            brokers = counted(made, "broker")
            raise StackError(
                f"The Kafka in {self.home.folder} was made with {brokers} and "
                f"{len(self.brokers)} are asked for: set RELANCE_KAFKA_BROKERS={made}, name "
                "another folder with RELANCE_HOME, or forget the data with `make clean`."
            )

    def _cluster_id(self) -> str:
        """The id that the data folders have, or a new one."""
        for broker in self.brokers:
            file = broker.data / "meta.properties"
            for line in file.read_text().splitlines() if file.exists() else ():
                if line.startswith("cluster.id="):
                    return line.partition("=")[2]
        return _new_id()


def brokers_of_environment() -> int:
    """Return how many brokers RELANCE_KAFKA_BROKERS asks for (1); raise StackError."""
    text = os.environ.get("RELANCE_KAFKA_BROKERS", "1")
    if not text.isdigit() or int(text) not in (1, 3):
        raise StackError(
            f"RELANCE_KAFKA_BROKERS is {text!r} and should be 1, or 3 for a cluster that "
            "survives the loss of a broker."
        )
    return int(text)


def _voters(quorum_state: Path) -> int:
    """Return how many brokers vote, as one of them keeps it."""
    return len(json.loads(quorum_state.read_text())["currentVoters"])


def _new_id() -> str:
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return text if not text.startswith("-") else _new_id()  # "-…" would be read as an option
