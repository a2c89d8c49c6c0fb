"""The main of every service: settings, signals, exit codes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

import structlog

from shared.runtime import clock, failpoint, log
from shared.runtime.clock import ClockFile
from shared.runtime.migration import Refused
from shared.runtime.postgres import Unavailable, is_bad_luck
from shared.runtime.settings import Settings, WrongSetting
from shared.runtime.topics import Differs

if TYPE_CHECKING:
    from shared.runtime.service import Service

S = TypeVar("S", bound=Settings)

UNAVAILABLE, BAD_CODE, WRONG = 69, 70, 78
"""Exit codes (sysexits): a dependency stays away · the code is wrong · a setting, a migration or
the cluster is."""


def run(create: Callable[[S], Service], settings_class: type[S]) -> NoReturn:
    """Run the service that `create` makes until SIGTERM or SIGINT; exit with its code."""
    try:
        settings = settings_class.read()
        failpoint.arm(os.environ.get(failpoint.SETTING, ""))
        if settings.clock_file is not None:
            clock.use(ClockFile(settings.clock_file))
        code = asyncio.run(_live(create, settings))
    except (WrongSetting, FileNotFoundError, ValueError) as error:
        code = _say(WRONG, error)
    sys.stdout.flush()
    sys.exit(code)


async def _live(create: Callable[[S], Service], settings: S) -> int:
    try:
        service = create(settings)
    except WrongSetting as error:
        return _say(WRONG, error)
    _collect_rarely()
    log.set_up(service.name, settings)
    lines = structlog.get_logger(__name__)
    _stop_on_signals(service)
    try:
        code = await start(service)
        if code == 0:
            lines.info("started", url=service.url)
            await service.stopping.wait()
    finally:
        await _stop(service)
    if service.failure is not None:
        return _say(BAD_CODE, service.failure)
    lines.info("stopped")
    return code


def _collect_rarely() -> None:
    """Look for garbage less often, and never through what lives as long as the process.

    A batch of 500 new leads holds some 200,000 small values for as long as it lasts, and hardly a
    cycle: at Python's own 700, looking through them over and over takes a third of a service's
    time, and at 100,000 still a tenth of what deciding takes. A service has a few batches in hand.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000_000)


async def start(service: Service) -> int:
    """The exit code that its start comes to, told in one sentence; 0 if it runs, or was stopped."""
    starting = asyncio.create_task(service.start())
    stopped = asyncio.create_task(service.stopping.wait())
    await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not starting.done():
        starting.cancel()
    try:
        await starting
    except asyncio.CancelledError:
        return 0
    except Unavailable as error:
        return _say(UNAVAILABLE, error)
    except (WrongSetting, Refused, Differs) as error:
        return _say(WRONG, error)
    except Exception as error:
        if not is_bad_luck(error):
            raise
        why = f"{type(error).__name__}: {error}"
        return _say(UNAVAILABLE, f"{service.name} lost a dependency while starting ({why}).")
    return 0


async def _stop(service: Service) -> None:
    deadline_s = service.settings.stop_deadline_s
    try:
        await asyncio.wait_for(service.stop(), deadline_s)
    except TimeoutError:
        code = BAD_CODE if service.failure else 0
        _say(code, f"{service.name} did not stop within {deadline_s:.0f} s and was ended.")
        # Something does not let go; nothing is lost, all of it is done again at the next start.
        os._exit(code)


def _stop_on_signals(service: Service) -> None:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, service.stopping.set)


def _say(code: int, what: object) -> int:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()
    return code
