"""A service whose clock somebody else moves: `python -m tests.faults.jumpy intake FILE`.

The file holds the seconds that this worker's clock is ahead (or behind).
"""

import runpy
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.runtime import clock

_LAYOUT = struct.Struct("<d")


class JumpingClock:
    """The machine's clock, and what the file adds."""

    stepping = False

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)

    def now(self) -> datetime:
        self._file.seek(0)
        (ahead_s,) = _LAYOUT.unpack(self._file.read(_LAYOUT.size))
        return datetime.now(UTC) + timedelta(seconds=ahead_s)


def jump(path: Path, ahead_s: float) -> None:
    """From now on that clock is so many seconds ahead of the machine's."""
    mode = "r+b" if path.exists() else "w+b"
    with path.open(mode, buffering=0) as file:
        file.write(_LAYOUT.pack(ahead_s))


if __name__ == "__main__":
    clock.use(JumpingClock(Path(sys.argv[2])))
    runpy.run_module(f"services.{sys.argv[1]}", run_name="__main__")
