"""Mail is parsed in a process that can be killed: 5 seconds and 512 MB for one mail.

A few workers are kept warm, so that a mail costs a few milliseconds; one that overruns its time
or its memory is killed with the mail in hand, and a new one takes its place.
"""

from __future__ import annotations

import asyncio
import json
import resource
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable

from services.intake.core.arrival import Arrival, Refusal
from services.intake.formats import mail
from services.intake.formats.payload import Payload

TIME_MOST_S = 5.0
START_MOST_S = 60.0
MEMORY_BYTES_MOST = 512 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_READY = b"!"


class MailReaders:
    """Up to `most` workers; each reads one mail at a time."""

    def __init__(self, most: int = 2, time_most_s: float = TIME_MOST_S) -> None:
        self._time_most_s = time_most_s
        self._free = asyncio.Semaphore(most)
        self._idle: list[Process] = []
        self._alive: set[Process] = set()
        self._stopping = False

    async def read(self, payload: Payload) -> Arrival:
        """The mail, read elsewhere. Raises `Refusal` also when it takes too much, and
        `OSError` when no worker can be had, or is ended by `stop`: that is not the mail's fault."""
        async with self._free:
            if self._stopping:
                raise OSError("the service stops; no mail is read any more")
            worker = self._idle.pop() if self._idle else await self._hire()
            try:
                async with asyncio.timeout(self._time_most_s):
                    answer = await _ask(worker, payload)
            except TimeoutError:
                raise Refusal(
                    f"the mail takes longer than {self._time_most_s:g} s to read"
                ) from None
            except (OSError, EOFError):  # IncompleteReadError is an EOFError
                if self._stopping:
                    raise OSError("the service stops; the mail has not been read") from None
                raise Refusal("the mail takes more memory than allowed to read") from None
            else:
                self._idle.append(worker)
            finally:
                if worker not in self._idle:
                    await self._dismiss(worker)
        if "refused" in answer:
            raise Refusal(str(answer["refused"]))
        return Arrival.model_validate(answer)

    async def stop(self) -> None:
        """End all workers; a mail in hand is its sender's again."""
        self._stopping = True
        self._idle.clear()
        for worker in list(self._alive):
            await self._dismiss(worker)

    async def _hire(self) -> Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
        self._alive.add(worker)
        # The limit is for a mail, not for an interpreter that starts on a busy machine.
        assert worker.stdout is not None
        try:
            async with asyncio.timeout(START_MOST_S):
                await worker.stdout.readexactly(len(_READY))
        except (TimeoutError, EOFError):
            await self._dismiss(worker)
            raise OSError("a worker that reads mail did not start") from None
        return worker

    async def _dismiss(self, worker: Process) -> None:
        self._alive.discard(worker)
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


async def _ask(worker: Process, payload: Payload) -> dict[str, object]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    about = json.dumps(
        [payload.provider_id, payload.mail_from, payload.mailbox, payload.content_type]
    ).encode()
    for frame in (about, payload.body):
        worker.stdin.write(_LENGTH.pack(len(frame)) + frame)
    await worker.stdin.drain()
    (length,) = _LENGTH.unpack(await worker.stdout.readexactly(_LENGTH.size))
    answer: dict[str, object] = json.loads(await worker.stdout.readexactly(length))
    return answer


def work() -> None:
    """The worker: frames in, frames out, until the pipe is closed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MOST, MEMORY_BYTES_MOST))
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    while (about := _frame(sys.stdin.buffer.read)) is not None:
        body = _frame(sys.stdin.buffer.read) or b""
        provider_id, mail_from, mailbox, content_type = json.loads(about)
        payload = Payload(
            door="smtp",
            content_type=content_type,
            body=body,
            provider_id=provider_id,
            mail_from=mail_from,
            mailbox=mailbox,
        )
        try:
            answer = mail.read(payload).model_dump_json()
        except Refusal as refusal:
            answer = json.dumps({"refused": refusal.sentence})
        encoded = answer.encode("utf-8", "replace")
        sys.stdout.buffer.write(_LENGTH.pack(len(encoded)) + encoded)
        sys.stdout.buffer.flush()


def _frame(read: Callable[[int], bytes]) -> bytes | None:
    head = read(_LENGTH.size)
    return read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else None


if __name__ == "__main__":
    work()
