"""Waiting for an event for a limited time, without losing a cancellation."""

from __future__ import annotations

import asyncio


async def happens(event: asyncio.Event, within_s: float) -> bool:
    """Whether `event` is set within so many (real) seconds.

    Not `asyncio.wait_for`: in Python 3.11 that swallows a cancellation which comes in the same
    instant as the event, and the cancelled loop runs on.
    """
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
