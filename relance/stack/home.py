"""Where the local stack keeps its data, logs, ports and sockets."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from relance.stack.error import StackError

PROJECT = Path(__file__).resolve().parents[2]
LEAST_FREE_BYTES = 500 * 1024 * 1024


@dataclass(frozen=True)
class Home:
    """One folder that holds everything a local stack writes; deleting it forgets everything."""

    folder: Path

    @classmethod
    def of_checkout(cls) -> "Home":
        """Return the folder that RELANCE_HOME names, or `.relance` in this checkout."""
        named = os.environ.get("RELANCE_HOME")
        return cls(Path(named).expanduser().resolve() if named else PROJECT / ".relance")

    @property
    def key(self) -> str:
        """Ten characters that stand for this folder in names that must be short."""
        return hashlib.sha256(str(self.folder.absolute()).encode()).hexdigest()[:10]

    @property
    def sockets(self) -> Path:
        """The folder for Unix sockets: outside the home, because a socket path has 107 bytes."""
        return Path("/tmp") / f"relance-{os.getuid()}-{self.key}"  # noqa: S108 - owner checked on use

    @property
    def shelter(self) -> Path:
        """The folder for what an unprivileged user must reach and cannot reach in the home."""
        return Path("/var/tmp") / f"relance-{self.key}"  # noqa: S108 - owner checked on use

    def remove(self) -> None:
        """Forget everything; nothing of the stack may be running."""
        for folder in (self.folder, self.sockets, self.shelter):
            shutil.rmtree(folder, ignore_errors=True)

    def data(self, name: str) -> Path:
        """Return where the program `name` keeps its data."""
        return self.folder / "data" / name

    @property
    def logs(self) -> Path:
        """The folder of the log files."""
        return self.folder / "logs"

    def log(self, name: str) -> Path:
        """Return the log file of the program `name`."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Create the folder; raise StackError if it is not ours or its disk is nearly full."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise StackError(
                f"The folder {self.folder} cannot be used ({error.strerror}): "
                "choose another one with RELANCE_HOME."
            ) from error
        if free < LEAST_FREE_BYTES:
            raise StackError(
                f"Only {free // 2**20} MB are free on the disk of {self.folder} and the local "
                f"stack needs {LEAST_FREE_BYTES // 2**20} MB: free some space, "
                "or name a folder on another disk with RELANCE_HOME."
            )


def user_cache() -> Path:
    """Return the folder for downloads that every checkout of this user shares."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "relance"
    except RuntimeError:  # no home folder: a container user without a passwd entry
        return Path(tempfile.gettempdir()) / f"relance-cache-{os.getuid()}"


def private_folder(folder: Path, owner: int) -> Path:
    """Create `folder` for us alone, in a place that others can write to; return it.

    Raise StackError if somebody else was there first.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.getuid(), owner}:
        raise StackError(
            f"The folder {folder} belongs to another user and the local stack needs that name: "
            "remove it or have its owner remove it."
        )
    os.chown(folder, owner, -1)
    return folder
