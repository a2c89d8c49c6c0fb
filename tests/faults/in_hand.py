"""Mails that were being handed over when something was hit: of these alone may nobody know.

A mail server cannot be asked, so a crash leaves what notifications had in hand in doubt. Each such
message is in its table as `sending`; it stays there until its lease is over, so that looking soon
after the hit is enough.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

import asyncpg

_IN_HAND = "select id, handed_at from message where status = 'sending' and channel = 'email'"
_LOOK_WITHIN_S = 30.0


class InHand:
    """Every hand-over that was under way at any hit; `note` at each."""

    def __init__(self, dsn: str) -> None:
        """`dsn` is the address of notifications' tables."""
        self.hand_overs: set[tuple[UUID, datetime]] = set()
        """The message and since when: one that goes again may be hit again."""
        self._dsn = dsn

    def note(self) -> None:
        """Blocks until PostgreSQL answers."""
        self.hand_overs |= asyncio.run(self._look())

    def __len__(self) -> int:
        return len(self.hand_overs)

    async def _look(self) -> set[tuple[UUID, datetime]]:
        async with asyncio.timeout(_LOOK_WITHIN_S):
            while True:
                try:
                    session = await asyncpg.connect(
                        self._dsn, server_settings={"search_path": "notifications"}
                    )
                    try:
                        return {tuple(row) for row in await session.fetch(_IN_HAND)}
                    finally:
                        session.terminate()
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await asyncio.sleep(0.05)
