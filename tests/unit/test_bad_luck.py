"""What may succeed when it is tried again, and what would fail for ever."""

import asyncpg
import pytest

from shared.runtime.postgres import Overtaken, is_bad_luck

DYING_SESSION = "cannot switch to state 15; another operation (2) is in progress"
"""Seen when PostgreSQL crashed: asyncpg has read that the server ends, not yet that it is gone."""


@pytest.mark.parametrize(
    "error",
    [
        OSError("refused"),
        TimeoutError(),
        Overtaken("by another member"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError(DYING_SESSION),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.LockNotAvailableError("lock timeout"),
    ],
)
def test_a_database_that_is_away_or_busy_is_bad_luck(error: Exception) -> None:
    assert is_bad_luck(error)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a mistake of ours"),
        asyncpg.DataError("invalid input: no integer"),
        asyncpg.UniqueViolationError("told_once"),
        asyncpg.UndefinedTableError("no such table"),
        asyncpg.InternalClientError("got result for unknown protocol state"),
    ],
)
def test_wrong_data_and_wrong_code_are_not(error: Exception) -> None:
    assert not is_bad_luck(error)
