"""A disk that can be filled: a file system in memory, of a few hundred MB. It needs root."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relance.stack import home as homes
from relance.stack.home import Home

_BLOCK = b"\0" * (1024 * 1024)


class NoSmallDisk(Exception):
    """Why none can be had here."""


class SmallDisk:
    """`home` lies on it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Until nothing more fits."""
        with self._filler.open("wb", buffering=0) as file:
            try:
                while file.write(_BLOCK):
                    pass
            except OSError:
                return

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """Mounted, and gone afterwards. Raises `NoSmallDisk`."""
    folder = Path(tempfile.mkdtemp(prefix="relance-disk-"))
    options = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(options, capture_output=True, check=False).returncode:
        folder.rmdir()
        raise NoSmallDisk("a small disk needs root and the right to mount one")
    least, homes.LEAST_FREE_BYTES = homes.LEAST_FREE_BYTES, 0
    try:
        yield SmallDisk(folder)
    finally:
        homes.LEAST_FREE_BYTES = least
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
