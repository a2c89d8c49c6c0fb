"""The clock: the only reader of the machine's time. It can step, for demos and tests.

A stepping clock is frozen between jumps, in all processes that map the same file, so that every
run tells the same story. Time-outs, leases and polls use real (monotonic) time instead.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from shared.runtime.moment import happens

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAYOUT = struct.Struct("<8sqq")
_MAGIC = b"relance1"
_TORN = -0x5A5A5A5A  # the second copy is the first one with these bits turned
_STEP_POLL_S = 0.008
_LONGEST_SLEEP_S = 30.0  # the machine's clock may be set meanwhile


class Clock(Protocol):
    """What tells the time."""

    stepping: bool

    def now(self) -> datetime:
        """The instant, UTC."""


class MachineClock:
    """The machine's own."""

    stepping = False

    def now(self) -> datetime:
        """The instant, UTC."""
        return datetime.now(UTC)


class ClockFile:
    """An instant in a small file that every process of a stack maps."""

    stepping = True

    def __init__(self, path: Path) -> None:
        """Map `path`; raises `FileNotFoundError` or `ValueError` in a sentence."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"There is no clock file {path}: the stepper makes it before services start."
            ) from None
        try:
            if os.fstat(descriptor).st_size != _LAYOUT.size:
                raise ValueError(f"{path} is no clock file.")
            self._map = mmap.mmap(descriptor, _LAYOUT.size)
        finally:
            os.close(descriptor)
        if self._map[:8] != _MAGIC:
            raise ValueError(f"{path} is no clock file.")

    @classmethod
    def create(cls, path: Path, start: datetime) -> ClockFile:
        """Make (or set back) the clock file, frozen at `start`."""
        us = _microseconds(start)
        part = path.with_name(path.name + ".part")
        part.write_bytes(_LAYOUT.pack(_MAGIC, us, us ^ _TORN))
        part.replace(path)
        return cls(path)

    def now(self) -> datetime:
        """The instant, UTC. A write that is half done is read again."""
        while True:
            _, us, check = _LAYOUT.unpack_from(self._map)
            if us ^ _TORN == check:
                return _EPOCH + timedelta(microseconds=us)

    def jump(self, instant: datetime) -> None:
        """Time is `instant` now, everywhere; it never runs back."""
        if instant < self.now():
            raise ValueError(f"Time does not run back: {instant} is before {self.now()}.")
        us = _microseconds(instant)
        struct.pack_into("<qq", self._map, 8, us, us ^ _TORN)


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


_clock: Clock = MachineClock()


def use(clock: Clock) -> None:
    """This process reads `clock` from now on (start-up and tests)."""
    global _clock  # noqa: PLW0603 - a process has one clock
    _clock = clock


def now() -> datetime:
    """The instant, UTC: the only now there is."""
    return _clock.now()


def is_stepping() -> bool:
    """Whether time stands still between jumps."""
    return _clock.stepping


async def sleep_until(instant: datetime | None, wake: asyncio.Event | None = None) -> None:
    """Return when it is `instant` (None: never), or as soon as `wake` is set (it is cleared).

    A jump of the stepping clock is noticed within 10 ms.
    """
    wake = wake or asyncio.Event()
    while not wake.is_set():
        left_s = _LONGEST_SLEEP_S if instant is None else (instant - now()).total_seconds()
        if left_s <= 0:
            return
        if _clock.stepping and instant is not None:
            await asyncio.sleep(_STEP_POLL_S)
            continue
        await happens(wake, min(left_s, _LONGEST_SLEEP_S))
    wake.clear()
