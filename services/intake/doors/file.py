"""The file door: a folder a source, into which somebody (or a synchronised drive) puts files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from time import time

import structlog

from services.intake.core.arrival import Refusal
from services.intake.formats.payload import BODY_BYTES_MOST, Payload
from services.intake.houses import Entrance
from services.intake.reception import Reception
from shared.domain.rulebook.source import Source
from shared.runtime.producer import NotConfirmed

log = structlog.get_logger(__name__)

POLL_S = 2.0
SETTLED_S = 2.0
"""A file that was written to more recently may not be complete yet."""


class FileDoor:
    """Takes in what lies in `folder/SOURCE/`; a file taken in is moved to `done/` below it.

    Another company than the folder's (RELANCE_RULEBOOK) has `folder/TENANT/SOURCE/`.

    A crash between taking in and moving reads the file again: its rows keep their ids, so that
    has no second effect. A file that cannot be read is set aside like any input, and moved too.
    """

    def __init__(self, entrances: Callable[[], Iterable[Entrance]], folder: Path) -> None:
        """`entrances` are those that have this door, asked anew for each sweep."""
        self._entrances, self._folder = entrances, folder

    async def run(self) -> None:
        """Look for files until cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(POLL_S)

    async def sweep(self) -> int:
        """Take in every complete file there is, the oldest first; how many."""
        taken = 0
        for entrance in self._entrances():
            folder = self._folder / entrance.path.removeprefix("/in/")
            for path in await asyncio.to_thread(_complete, folder):
                taken += await self._take(entrance.reception, entrance.source, path)
        return taken

    async def _take(self, reception: Reception, source: Source, path: Path) -> bool:
        try:
            body = await asyncio.to_thread(_read, path)
        except FileNotFoundError:
            return False  # another replica was quicker
        except OSError as error:
            log.warning("a file cannot be read", file=str(path), why=error.strerror)
            return False
        payload = Payload("file", "text/csv", body, provider_id=None)
        try:
            if len(body) > BODY_BYTES_MOST:
                refusal = Refusal(f"the file {path.name} has over {BODY_BYTES_MOST} bytes")
                await reception.record([reception.set_aside(source.id, payload, refusal)])
            else:
                await reception.take_rows(source, payload)
        except NotConfirmed as error:
            log.warning("a file waits for Kafka", file=str(path), why=str(error))
            return False
        await asyncio.to_thread(_put_away, path)
        return True


def _complete(folder: Path) -> list[Path]:
    now = time()
    found = [path for path in folder.glob("*") if path.is_file() and not path.name.startswith(".")]
    settled = [(path.stat().st_mtime, path) for path in found]
    return [path for changed, path in sorted(settled) if changed <= now - SETTLED_S]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BODY_BYTES_MOST + 1)


def _put_away(path: Path) -> None:
    done = path.parent / "done"
    done.mkdir(exist_ok=True)
    path.replace(done / path.name)
