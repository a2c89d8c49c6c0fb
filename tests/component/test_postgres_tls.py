"""PostgreSQL behind TLS and a password: Debian's, because the embedded one has no OpenSSL."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from relance.stack.port import free_port
from relance.stack.postgres import Postgres as Embedded
from relance.stack.process import Account, Child
from shared.runtime import migration
from shared.runtime.postgres import Postgres, Unavailable
from tests.certificates import certificates
from tests.stack import temporary_home
from tests.toy.service import MIGRATIONS

PASSWORD = "a-password-of-this-test"
DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Server:
    """A server that lets nobody in without TLS and a password."""

    port: int
    ca: Path
    other_ca: Path

    def dsn(self, password: str = PASSWORD, ca: Path | None = None) -> str:
        tls = f"sslmode=verify-full&sslrootcert={ca or self.ca}"
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/postgres?{tls}"


def programs() -> Path:
    """Where Debian puts the newest server's programs."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        pytest.skip("PostgreSQL with TLS is not installed here (Debian's package postgresql)")
    return found[-1].parent


def account() -> Account | None:
    if os.getuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")  # PostgreSQL refuses root
    return Account(nobody.pw_uid, nobody.pw_gid)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    there, who = programs(), account()
    home = temporary_home()
    ours, others = (certificates(home.folder / name) for name in ("ours", "others"))
    data = home.folder / "data"
    data.mkdir(mode=0o700)
    (home.folder / "password").write_text(PASSWORD)
    for path in (data, ours.key, home.folder / "password"):
        path.chmod(0o700 if path is data else 0o600)
        os.chown(path, who.user if who else os.getuid(), -1)
    options = ["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(
        [there / "initdb", *options, "--pwfile", home.folder / "password", "-D", data],
        check=True,
        capture_output=True,
        cwd="/",
        user=who.user if who else None,
        group=who.group if who else None,
        extra_groups=[] if who else None,
    )
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    port = free_port()
    settings = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": str(ours.certificate),
        "ssl_key_file": str(ours.key),
    }
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    child = Child(
        "postgres-tls",
        [there / "postgres", "-D", data, *given],
        home.log("postgres-tls"),
        folder=Path("/"),
        account=who,
        stop_signal=signal.SIGINT,
    )
    child.start()
    running = Server(port, ours.ca, others.ca)
    child.wait_ready(lambda: _answers(running), 60, every_s=0.1)
    yield running
    child.stop()
    home.remove()
    shutil.rmtree(data, ignore_errors=True)


def _answers(server: Server) -> bool:
    async def ask() -> bool:
        with suppress(OSError, asyncpg.CannotConnectNowError):
            session = await asyncpg.connect(server.dsn(), timeout=5)
            await session.close()
            return True
        return False

    return asyncio.run(ask())


async def refused(dsn: str) -> str:
    """The sentence with which start ends at once, long before the deadline for waiting."""
    with pytest.raises(Unavailable) as why:
        await asyncio.wait_for(Postgres(dsn, "toy").open(deadline_s=60), 20)
    assert PASSWORD not in str(why.value)
    return str(why.value)


async def test_a_service_keeps_its_tables_behind_tls_and_a_password(server: Server) -> None:
    await migration.apply(server.dsn(), "toy", MIGRATIONS)
    sessions = Postgres(server.dsn(), "toy", 3)
    await sessions.open(deadline_s=20)
    async with sessions.transaction() as tx:
        await migration.check(tx, "toy", MIGRATIONS)
        encrypted = await tx.fetchval("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
    beside = await sessions.session()
    version = await beside.fetchval("select version from pg_stat_ssl where pid = pg_backend_pid()")
    await beside.close()
    await sessions.close()
    assert encrypted is True
    assert version.startswith("TLSv1.")


async def test_a_wrong_authority_is_told_in_one_sentence(server: Server) -> None:
    told = await refused(server.dsn(ca=server.other_ca))
    assert told.startswith("PostgreSQL's certificate is not trusted (")
    assert "sslrootcert in RELANCE_POSTGRES" in told


async def test_a_wrong_password_is_told_in_one_sentence(server: Server) -> None:
    told = await refused(server.dsn(password="wrong-word"))
    assert "does not let us in (password authentication failed" in told
    assert "wrong-word" not in told


async def test_without_tls_nobody_comes_in(server: Server) -> None:
    told = await refused(server.dsn().replace("verify-full", "disable"))
    assert "does not let us in" in told


async def test_tls_where_there_is_none_is_told_in_one_sentence(
    server: Server, postgres: Embedded
) -> None:
    told = await refused(postgres.dsn() + f"?sslmode=verify-full&sslrootcert={server.ca}")
    assert told.startswith("PostgreSQL does not speak TLS, which RELANCE_POSTGRES asks for")
