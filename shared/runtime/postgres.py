"""PostgreSQL: the pool, transactions, the time-outs of every session, and what is bad luck."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import TypeAlias, TypeVar

import asyncpg
import structlog

from shared.runtime import metrics

Transaction: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
T = TypeVar("T")

log = structlog.get_logger(__name__)

# Without these a paused member blocked its successor for 45 s and longer (`runtime.md` 4).
_SESSION = {
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "5s",
    "statement_timeout": "30s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
    "jit": "off",  # our statements are short: compiling them takes longer than running them
    # A prepared statement keeps the plan it got while its tables were empty, until somebody
    # analyses them: claiming one SMS read the whole table for the first minute. Ours go by key.
    "enable_seqscan": "off",
}
_BAD_LUCK_CLASSES = frozenset({"08", "40", "53", "57"})
_BAD_LUCK_STATES = frozenset({"55P03", "25006", "25P03"})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 5.0


class Unavailable(Exception):
    """A dependency stays away; for HTTP this is a 503."""


class Overtaken(Exception):
    """Another member has done meanwhile what this transaction set out to do; look again."""


def is_bad_luck(error: BaseException) -> bool:
    """Whether the same statement may succeed later (`runtime.md` 6)."""
    if isinstance(error, asyncpg.PostgresError):
        state = str(error.sqlstate or "")
        cached_plan = state == "0A000" and "cached plan" in str(error)
        return cached_plan or state[:2] in _BAD_LUCK_CLASSES or state in _BAD_LUCK_STATES
    if isinstance(error, ValueError):  # asyncpg's own refusals of a bad argument are both
        return False
    if isinstance(error, asyncpg.InternalClientError):
        # The server's last words came while the session lay in the pool: it is not yet closed.
        return "cannot switch to state" in str(error)
    return isinstance(error, (OSError, TimeoutError, asyncpg.InterfaceError, Overtaken))


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row: capped, and jittered."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(failures, 16))
    return float(longest * random.uniform(0.5, 1.0))  # noqa: S311 - no secret


class Postgres:
    """The sessions of one service, all in its own schema."""

    def __init__(self, dsn: str, schema: str, size: int = 10) -> None:
        """`dsn` holds the service's role; nothing is opened yet."""
        self.schema = schema
        self._dsn = dsn
        self._size = size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    @property
    def pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """The open pool."""
        if self._pool is None:
            raise Unavailable("PostgreSQL is not connected yet.")
        return self._pool

    async def open(self, deadline_s: float) -> None:
        """Connect; raises `Unavailable` in one sentence when the deadline has passed."""
        self._pool = await _until(deadline_s, self._create_pool)

    async def close(self) -> None:
        """Close every session; those in use get 5 s."""
        if self._pool is None:
            return
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction (read committed). Inside it only SQL is awaited."""
        try:
            async with self.pool.acquire(timeout=10) as session, session.transaction():
                yield session
        except asyncpg.ReadOnlySQLTransactionError:
            # A former primary: every session of the pool points at it.
            await self.pool.expire_connections()
            raise

    async def retried(
        self, work: Callable[[Transaction], Awaitable[T]], patience_s: float | None
    ) -> T:
        """The result of `work` in its own transaction; bad luck is tried again.

        After `patience_s` it raises `Unavailable`; None waits for ever.
        """
        start, failures = monotonic(), 0
        while True:
            try:
                async with self.transaction() as tx:
                    result = await work(tx)
            except Exception as error:
                if not is_bad_luck(error):
                    raise
                if patience_s is not None and monotonic() - start > patience_s:
                    raise Unavailable("The database cannot be used at present.") from error
                metrics.BAD_LUCK.labels(kind=type(error).__name__).inc()
                await asyncio.sleep(pause_s(failures))
                failures += 1
            else:
                return result

    async def answers(self) -> bool:
        """Whether a trivial statement comes back within 2 s."""
        try:
            async with asyncio.timeout(2):
                return bool(await self.pool.fetchval("select true"))
        except Exception as error:
            log.warning("PostgreSQL does not answer", error=str(error))
            return False

    async def session(self, **settings: str) -> Session:
        """A session of its own beside the pool (the relay's lock)."""
        return await asyncpg.connect(
            self._dsn,
            timeout=10,
            command_timeout=40,
            server_settings={**self._settings(), **settings},
        )

    def _settings(self) -> dict[str, str]:
        return {
            **_SESSION,
            "search_path": self.schema,
            "application_name": f"relance-{self.schema}",
        }

    async def _create_pool(self) -> asyncpg.Pool[asyncpg.Record]:
        return await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=self._size,
            timeout=10,
            command_timeout=40,
            server_settings=self._settings(),
            init=json_as_bytes,
            reset=_keep,
        )


async def json_as_bytes(session: Session) -> None:
    """`json` is given as the bytes in which it was written, or as text; it is read as text.

    By the driver's own codec it would be decoded here, and encoded again there.
    """
    await session.set_type_codec(
        "json", schema="pg_catalog", encoder=_encoded, decoder=bytes.decode, format="binary"
    )


def _encoded(written: bytes | str) -> bytes:
    return written if isinstance(written, bytes) else written.encode()


async def _keep(_: object) -> None:
    """Nothing to reset between uses: no session state is ever changed. Saves a round trip."""


async def _until(deadline_s: float, connect: Callable[[], Awaitable[T]]) -> T:
    """`connect`, tried until the deadline; a wrong address or password is refused at once."""
    start, failures = monotonic(), 0
    while True:
        try:
            return await connect()
        except Exception as error:
            if why := _refusal(error):
                raise Unavailable(why) from error
            if not is_bad_luck(error) or monotonic() - start > deadline_s:
                raise Unavailable(
                    f"PostgreSQL cannot be used ({type(error).__name__}: {error}); "
                    "is it running, and is RELANCE_POSTGRES its address?"
                ) from error
            await asyncio.sleep(min(1.0, pause_s(failures)))
            failures += 1


def _refusal(error: Exception) -> str | None:
    """The sentence, if waiting is no use; None if PostgreSQL may just be away."""
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"PostgreSQL's certificate is not trusted ({error.verify_message}): is the "
                "sslrootcert in RELANCE_POSTGRES the file of the authority that signed it?"
            )
        case asyncpg.InvalidAuthorizationSpecificationError():
            return (
                f"PostgreSQL does not let us in ({error}): is the user or the password in "
                "RELANCE_POSTGRES wrong?"
            )
        case ConnectionError() if "rejected SSL upgrade" in str(error):
            return (
                "PostgreSQL does not speak TLS, which RELANCE_POSTGRES asks for: set it up there, "
                "or leave sslmode out on a machine of one's own."
            )
    return None
