"""PostgreSQL 18 as a child process, from the binaries of a Python wheel."""

import shutil
import signal
import subprocess
from pathlib import Path

from relance.stack.error import StackError
from relance.stack.home import Home, private_folder
from relance.stack.port import LOOPBACK, choose_port
from relance.stack.postgres_data import DATABASE, clean_environment, create_data
from relance.stack.postgres_place import Place, choose_place
from relance.stack.process import Child

# Passed on the command line, so that data made by an older checkout obeys the newest settings.
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",  # our promises are about crashes: never trade them for speed
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "track_commit_timestamp": "on",  # when was it committed? benchmarks ask; it costs 10 bytes
}


class Postgres:
    """One PostgreSQL server of a home, on a TCP port of this machine and a Unix socket.

    Whoever reaches the port may log in as anybody: it is for one developer's machine.
    """

    def __init__(self, home: Home, port: int = 0) -> None:
        """Describe the server; `port` 0 takes any free port at the first start and keeps it."""
        self.home = home
        self.port = port
        self.child = Child(
            "postgres",
            [],
            home.log("postgres"),
            environment=clean_environment(),
            stop_signal=signal.SIGINT,  # "fast": closes connections, then a clean checkpoint
        )
        self._place: Place | None = None

    @property
    def place(self) -> Place:
        """Where it runs; made at first use."""
        if self._place is None:
            self._place = choose_place(self.home)
        return self._place

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster while it runs, else None."""
        return self.child.pid

    def dsn(self, user: str = "postgres", database: str = DATABASE) -> str:
        """Return the address to connect to as `user`."""
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/{database}"

    def start(self, limit_s: float = 60) -> None:
        """Start it (a new home gets its database and roles first) and wait until it answers.

        After a crash this recovers what was committed. Raise StackError if it cannot start.
        """
        self.launch()
        self.wait_ready(limit_s)

    def launch(self) -> None:
        """Start it without waiting."""
        if self.pid:
            return
        self.home.prepare()
        if not (self.place.data / "PG_VERSION").exists():
            create_data(self.place)
        elif self.place.data.stat().st_uid != self.place.owner:
            raise StackError(
                f"The PostgreSQL data in {self.place.data} belongs to another user: "
                "run as that user, or name another folder with RELANCE_HOME."
            )
        self.child.end_leftover()
        self.port = choose_port(self.port, "PostgreSQL")
        self.child.command = self._command()
        self.child.folder = self.place.installation  # one that its user can enter
        self.child.account = self.place.account
        self.child.start()

    def wait_ready(self, limit_s: float = 60) -> None:
        """Wait until it accepts connections; raise StackError if it never does."""
        try:
            self.child.wait_ready(self._accepts, limit_s)
        except StackError as error:
            raise StackError(
                f"{error}\nIf the data is damaged, `make clean` starts with an empty stack."
            ) from error

    def stop(self) -> None:
        """Stop it in order; open connections are closed."""
        self.child.stop()
        shutil.rmtree(self.home.sockets, ignore_errors=True)

    def crash(self) -> None:
        """Kill the postmaster and all its children at once, as a power cut would."""
        self.child.kill()

    def run(self, sql: str, database: str = DATABASE) -> str:
        """Run SQL as superuser and return what it printed, unaligned; raise StackError."""
        done = subprocess.run(
            [
                self.place.program("psql"),
                "-XqAt",
                "-v",
                "ON_ERROR_STOP=1",
                self.dsn(database=database),
            ],
            input=sql,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"PostgreSQL refused a statement of the stack: {done.stderr.strip()}")
        return done.stdout.strip()

    def copy_database(self, name: str, template: str = DATABASE) -> None:
        """Create the database `name` as a copy of `template`, to which nobody may be connected."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"', "postgres")

    def drop_database(self, name: str) -> None:
        """Remove the database `name`, closing its connections."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', "postgres")

    def _command(self) -> list[str | Path]:
        sockets = private_folder(self.home.sockets, self.place.owner)
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self.place.program("postgres"), "-D", self.place.data, *options]

    def _accepts(self) -> bool:
        # The postmaster writes its state into the eighth line of its own lock file.
        try:
            lines = (self.place.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"
